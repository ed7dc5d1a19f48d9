"""A laboratory: built on entry, cleared away on exit."""

from __future__ import annotations

import itertools
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deploy.laboratory import configuration, content, registry, topology
from deploy.laboratory.namespace import LaboratoryError, Namespace, sh
from deploy.laboratory.run import Run
from deploy.laboratory.server import Server
from deploy.laboratory.switch import Switch
from deploy.laboratory.topology import Link

_BPFFS = Path("/sys/fs/bpf")
_serial = itertools.count(1)


class Laboratory:
    """A client, the balancer's host and `servers` servers, joined by switches; see `topology.links`.

    For the fast path `ebpf` the balancer's host routes between the client network and the server
    network, so a client reaches a server directly at its own address and, once `run` has started
    L7LB, through `VIP`. For `model` the host is a switch, and routes nothing but what L7LB tells it.
    Building one clears away what killed owners left behind.
    """

    def __init__(self, servers: int = 4, arms: int = 2, *, fastpath: str = "ebpf", tunnelled: int = 0) -> None:
        if fastpath not in ("ebpf", "model"):
            raise ValueError(f"a laboratory has the fast path ebpf or model, not {fastpath}")
        identity = f"{os.getpid():x}-{next(_serial)}"
        self.name = f"l7lb-{identity}"
        self.instance = f"lab-{identity}"
        self._cables = topology.links(servers, arms, programmable=fastpath == "model", tunnelled=tunnelled)
        hosts = [topology.FABRIC, *dict.fromkeys(link.host for link in self._cables)]
        self._namespaces = {host: f"{self.name}-{host}" for host in hosts}
        self.client = Namespace(self._namespaces[topology.CLIENT])
        self.balancer = Namespace(self._namespaces[topology.BALANCER])
        self.fabric = Namespace(self._namespaces[topology.FABRIC])
        self.interfaces = [link.interface for link in self._cables if link.host == topology.BALANCER]
        self.directory = Path(tempfile.gettempdir()) / self.name
        self.admin = self.directory / "admin.sock"
        self.pins = _BPFFS / "l7lb" / self.instance
        self.bpffs = _BPFFS / self.name
        """For what users of the laboratory pin; not there at first, removed with the laboratory."""
        self._switch = Switch(self.balancer, self.interfaces, self.directory / "p4model.log")
        self._programmable = fastpath == "model"
        self.servers = [self._server(link) for link in self._cables if topology.is_server(link)]
        self.digests: dict[str, str] = {}
        """SHA-256 of the served files, in hex by name."""
        self._runs: list[Run] = []
        self._entry = registry.Entry(
            self.name,
            os.getpid(),
            registry.start_time(os.getpid()) or "",
            tuple(self._namespaces.values()),
            (str(self.directory), str(self.pins), str(self.bpffs)),
        )

    def _server(self, link: Link) -> Server:
        namespace = Namespace(self._namespaces[link.host])
        return Server(link.host, topology.server_address(link), namespace, self.fabric, self.directory / link.host)

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            raise LaboratoryError("a laboratory makes network namespaces: run it as root")
        registry.sweep()
        self._entry.write()
        try:
            self._wire()
            self._start_servers()
            if self._programmable:
                self._start_switch()
        except BaseException:
            self._entry.clear()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            for run in self._runs:
                run.stop()
            self._switch.stop()
            for server in self.servers:
                server.stop()
        finally:
            self._entry.clear()

    @property
    def switch(self) -> Switch:
        """The switch that the balancer's host is; raises LaboratoryError if it is none."""
        if not self._programmable:
            raise LaboratoryError("the balancer of this laboratory is a host, not a switch")
        return self._switch

    def run(self, config: Path) -> Run:
        """Start `l7lb run` on the balancer's host; returns once it is ready and every server is up."""
        run = Run(self.balancer, config, self.directory / "l7lb.log")
        self._runs.append(run)
        run.wait_until_ready()
        return run

    def config(self, **changes: object) -> Path:
        """Write an L7LB configuration for this laboratory; `changes` replace its top-level keys."""
        path = self.directory / "l7lb.yaml"
        configuration.write(path, self.default_config() | changes)
        return path

    def default_config(self) -> dict[str, Any]:
        """The configuration that `config` writes without changes."""
        addresses = [server.address for server in self.servers]
        if self._programmable:
            fastpath = configuration.model(self._cables)
        else:
            fastpath = configuration.ebpf(self.interfaces, self.instance)
        return configuration.default(addresses, fastpath, self.admin)

    def set_offloads(self, enabled: bool) -> None:
        """Leave segmenting and checksums to the hosts' interfaces, as at first, or have every packet as on a wire."""
        state = "on" if enabled else "off"
        features = [word for name in ("tx", "sg", "tso", "gso") for word in (name, state)]
        for link in self._cables:
            Namespace(self._namespaces[link.host]).run(["ethtool", "-K", link.interface, *features])

    def _wire(self) -> None:
        sh(["ip", "-batch", "-"], stdin="\n".join(topology.wiring(self._cables, self._namespaces)) + "\n")
        for link in self._cables:
            Namespace(self._namespaces[link.host]).sysctl(*topology.settings(link))
        self.fabric.ip(topology.fabric_setup(self._cables))
        for host, name in self._namespaces.items():
            Namespace(name).ip(topology.host_setup(self._cables, host))

    def _start_switch(self) -> None:
        # A switch has nothing that completes what a sender has left to its interface.
        self.set_offloads(False)
        self._switch.wire()
        self._switch.start()

    def _start_servers(self) -> None:
        files = self.directory / "content"
        files.mkdir(mode=0o700, parents=True)
        self.digests = content.generate(files)
        for server in self.servers:
            server.prepare(files)
            server.start()
