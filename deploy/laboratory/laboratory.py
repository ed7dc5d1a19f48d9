"""A laboratory: built on entry, cleared away on exit."""

from __future__ import annotations

import hashlib
import itertools
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deploy.laboratory import configuration, content, registry, topology
from deploy.laboratory.client import Client
from deploy.laboratory.namespace import LaboratoryError, Namespace, sh
from deploy.laboratory.run import Run
from deploy.laboratory.server import Server
from deploy.laboratory.switch import CPU_INTERFACE, Switch
from deploy.laboratory.switches import SWITCHES
from deploy.laboratory.topology import Link

_BPFFS = Path("/sys/fs/bpf")
_serial = itertools.count(1)

FASTPATHS = ("ebpf", *SWITCHES)
"""What a laboratory can have as its fast path."""


class Laboratory:
    """`clients` clients, the balancer's host and `servers` servers, joined by switches; see `topology.links`.

    For the fast path `ebpf` the balancer's host routes IPv4 between the client network and the server
    network, so a client reaches a server directly at its own address and, once `run` has started
    L7LB, through `VIP`. All hosts have IPv6 addresses, too, between whose networks nothing but L7LB forwards.
    For those of `SWITCHES` the host is a switch, and routes nothing but what L7LB tells it.
    Building one clears away what killed owners left behind.
    """

    def __init__(
        self, servers: int = 4, arms: int = 2, *, clients: int = 1, fastpath: str = "ebpf", tunnelled: int = 0
    ) -> None:
        if fastpath not in FASTPATHS:
            raise ValueError(f"a laboratory has the fast path {' or '.join(FASTPATHS)}, not {fastpath}")
        identity = f"{os.getpid():x}-{next(_serial)}"
        self.name = f"l7lb-{identity}"
        self.instance = f"lab-{identity}"
        self._cables = topology.links(
            servers, arms, clients=clients, programmable=fastpath in SWITCHES, tunnelled=tunnelled
        )
        hosts = [topology.FABRIC, *dict.fromkeys(link.host for link in self._cables)]
        self._namespaces = {host: f"{self.name}-{host}" for host in hosts}
        self.clients = [self._client(link) for link in self._cables if topology.is_client(link)]
        self.client = self.clients[0]
        self.balancer = Namespace(self._namespaces[topology.BALANCER])
        self.fabric = Namespace(self._namespaces[topology.FABRIC])
        self.interfaces = [link.interface for link in self._cables if link.host == topology.BALANCER]
        self.directory = Path(tempfile.gettempdir()) / self.name
        self.admin = self.directory / "admin.sock"
        self._content = self.directory / "content"
        self.pins = _BPFFS / "l7lb" / self.instance
        self.bpffs = _BPFFS / self.name
        """For what users of the laboratory pin; not there at first, removed with the laboratory."""
        self._switch: Switch | None = None
        if fastpath in SWITCHES:
            self._switch = SWITCHES[fastpath](self.balancer, self.interfaces, self.directory)
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

    def _client(self, link: Link) -> Client:
        return Client(self._namespaces[link.host], topology.host_address(link), topology.host_address6(link))

    def _server(self, link: Link) -> Server:
        namespace = Namespace(self._namespaces[link.host])
        addresses = topology.host_address(link), topology.host_address6(link)
        return Server(link.host, *addresses, namespace, self.fabric, self.directory / link.host)

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            raise LaboratoryError("a laboratory makes network namespaces: run it as root")
        if self._switch and (missing := self._switch.missing()):
            raise LaboratoryError(f"not on PATH: {', '.join(missing)}; docs/laboratory.md says where to get them")
        registry.sweep()
        self._entry.write()
        try:
            self._wire()
            self._start_servers()
            if self._switch:
                # A switch has nothing that completes what a sender has left to its interface.
                self.set_offloads(False)
                self._switch.wire()
                self._switch.start()
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
            if self._switch:
                self._switch.stop()
            for server in self.servers:
                server.stop()
        finally:
            self._entry.clear()

    @property
    def switch(self) -> Switch:
        """The switch that the balancer's host is; raises LaboratoryError if it is none."""
        if self._switch is None:
            raise LaboratoryError("the balancer of this laboratory is a host, not a switch")
        return self._switch

    @property
    def cpu_interface(self) -> str:
        """The interface of the balancer's host by which the fast path and the slow path of a run are joined."""
        return CPU_INTERFACE if self._switch else f"{self.instance}0"

    def serve(self, name: str, data: bytes) -> None:
        """Let every server answer a path that ends in `name` with `data`."""
        (self._content / name).write_bytes(data)
        self.digests[name] = hashlib.sha256(data).hexdigest()

    def run(self, config: Path, *, resolver: Path | None = None) -> Run:
        """Start `l7lb run` on the balancer's host; returns once it is ready and every server is up.

        `resolver` is what it has as /etc/resolv.conf; the servers of names and files are not waited for.
        """
        run = Run(self.balancer, config, self.directory / "l7lb.log", resolver)
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
        if self._switch:
            fastpath = configuration.switch(self._switch.control_plane(), self._cables)
        else:
            fastpath = configuration.ebpf(self.interfaces, self.instance)
        return configuration.default(addresses, fastpath, self.admin)

    def adopt(self, namespace: Namespace) -> None:
        """Have one that a user of the laboratory is about to make cleared away with it, if it is still there."""
        names = dict.fromkeys((*self._entry.namespaces, namespace.name))
        self._entry = replace(self._entry, namespaces=tuple(names))
        self._entry.write()

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

    def _start_servers(self) -> None:
        self._content.mkdir(mode=0o700, parents=True)
        self.digests = content.generate(self._content)
        for server in self.servers:
            server.prepare(self._content)
            server.start()
