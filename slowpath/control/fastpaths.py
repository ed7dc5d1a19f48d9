"""Opening the fast path that a configuration asks for: the one place that names concrete ones.

Each is imported when it is asked for: a switch's CPU needs no libbpf, and a host no gRPC.
"""

from __future__ import annotations

from fastpath.errors import Rejected
from fastpath.interface import FastPath
from slowpath.control.config import Bmv2Config, Config, EbpfConfig, TofinoConfig
from slowpath.control.host import Host, KernelHost, SwitchHost


async def open_fastpath(config: Config) -> tuple[FastPath, Host]:
    """The open fast path, and the host around it; raises FastPathError."""
    chosen, idle_after = config.fastpath, config.timeouts.idle
    match chosen:
        case EbpfConfig():
            return await _ebpf(chosen, idle_after)
        case TofinoConfig():
            return await _tofino(chosen, idle_after)
        case Bmv2Config():
            return await _bmv2(chosen, idle_after)


async def _ebpf(chosen: EbpfConfig, idle_after: float) -> tuple[FastPath, Host]:
    from fastpath.ebpf import EbpfFastPath  # noqa: PLC0415

    fastpath = await EbpfFastPath.open(
        chosen.interfaces, name=chosen.name, capacity=chosen.capacity, idle_after=idle_after, learning=chosen.learning
    )
    return fastpath, KernelHost(chosen.interfaces)


async def _tofino(chosen: TofinoConfig, idle_after: float) -> tuple[FastPath, Host]:
    from fastpath.tofino import TofinoFastPath  # noqa: PLC0415

    network = chosen.network()
    fastpath = await TofinoFastPath.open(
        chosen.grpc, chosen.program, chosen.cpu_interface, network, idle_after=idle_after
    )
    return fastpath, SwitchHost(network, fastpath)


async def _bmv2(chosen: Bmv2Config, idle_after: float) -> tuple[FastPath, Host]:
    from fastpath.bmv2 import Bmv2FastPath  # noqa: PLC0415
    from p4rt import P4rtError, Pipeline  # noqa: PLC0415

    try:
        pipeline = Pipeline.load(chosen.p4info, chosen.device_config)
    except (P4rtError, OSError) as error:
        raise Rejected(f"there is no program for the switch: {error}") from error
    network = chosen.network()
    fastpath = await Bmv2FastPath.open(
        chosen.grpc,
        pipeline,
        chosen.cpu_interface,
        network,
        device_id=chosen.device,
        election_id=chosen.election_id,
        idle_after=idle_after,
    )
    return fastpath, SwitchHost(network, fastpath)
