"""Opening the fast path that a configuration asks for: the one place that names concrete ones.

Each is imported when it is asked for: a switch's CPU needs no libbpf, and a host no gRPC.
"""

from __future__ import annotations

from fastpath.interface import FastPath
from slowpath.control.config import Config, EbpfConfig, SwitchConfig
from slowpath.control.host import Host, KernelHost, SwitchHost


async def open_fastpath(config: Config) -> tuple[FastPath, Host]:
    """The open fast path, and the host around it; raises FastPathError."""
    chosen, idle_after = config.fastpath, config.timeouts.idle
    if isinstance(chosen, EbpfConfig):
        return await _ebpf(chosen, idle_after)
    return await _switch(chosen, idle_after)


async def _ebpf(chosen: EbpfConfig, idle_after: float) -> tuple[FastPath, Host]:
    from fastpath.ebpf import EbpfFastPath  # noqa: PLC0415

    fastpath = await EbpfFastPath.open(
        chosen.interfaces, name=chosen.name, capacity=chosen.capacity, idle_after=idle_after
    )
    return fastpath, KernelHost()


async def _switch(chosen: SwitchConfig, idle_after: float) -> tuple[FastPath, Host]:
    from fastpath.tofino import TofinoFastPath  # noqa: PLC0415

    network = chosen.network()
    fastpath = await TofinoFastPath.open(
        chosen.grpc, chosen.program, chosen.cpu_interface, network, idle_after=idle_after
    )
    return fastpath, SwitchHost(network, fastpath.answer_for)
