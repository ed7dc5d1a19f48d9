"""Who is compared, and how each is set up between the client and the server of the laboratory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from deploy.comparison import memory
from deploy.comparison.proxies import PROXIES, Proxy
from deploy.laboratory import VIP, Laboratory
from deploy.laboratory.configuration import pool
from deploy.laboratory.namespace import LaboratoryError, end, wait_until
from deploy.laboratory.server import PORT
from deploy.laboratory.topology import CLIENT_GATEWAY

DIRECT = "direct"
CONNECTION, REQUEST = "l7lb connection", "l7lb request"
"""In transparent mode, as L7LB is by default."""
_SNAT = " snat"
_ROUTINGS = {CONNECTION: "connection", REQUEST: "request"}
_SNAT_ADDRESSES = "10.2.0.128/28"
"""Of the server network, where the laboratory's server has another one."""
_HEALTH = {"http": "/healthz", "interval": "2s", "timeout": "1s", "rise": 1, "fall": 3}
_PROXY_PORT = 8080
_START_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A contender that is up: where clients find it, and its processes."""

    address: str
    port: int
    session: int | None
    """The session that its processes are; None if it has none."""

    @property
    def processes(self) -> list[int]:
        """Their pids."""
        return [] if self.session is None else memory.processes(self.session)

    def url(self, path: str) -> str:
        """Of a path that begins with a slash."""
        return f"http://{self.address}:{self.port}{path}"


class Contender(Protocol):
    """Somebody who is started for a turn and stopped after it."""

    @property
    def name(self) -> str:
        """As results have it."""

    @property
    def only(self) -> str | None:
        """The load for which it is there; None for all."""

    def up(self, laboratory: Laboratory) -> Iterator[Stage]:
        """Have it answer, then yield where, then clear it away; raises LaboratoryError."""


class Direct:
    """The balancer's host routes, and nothing else."""

    name = DIRECT
    only = None

    def up(self, laboratory: Laboratory) -> Iterator[Stage]:
        """Nothing to start."""
        address, _, port = laboratory.servers[0].direct.rpartition(":")
        yield Stage(address, int(port), None)


class Balanced:
    """L7LB on the fast path `ebpf`.

    One listener at a time: with two, a client's port that one of them had a moment ago would be the other's, and in
    transparent mode both connections the same one to the server.
    """

    only = None

    def __init__(self, name: str, *, snat: bool = False) -> None:
        self.name = name + _SNAT if snat else name
        self._routing = _ROUTINGS[name]
        self._source = {"snat": [_SNAT_ADDRESSES]} if snat else "transparent"

    def up(self, laboratory: Laboratory) -> Iterator[Stage]:
        """Run L7LB; once every server is up it answers."""
        listener = {"address": f"{VIP}:{PORT}", "protocol": "http", "routing": self._routing, "default": "web"}
        pools = {"web": pool(laboratory.servers[0].address, health=_HEALTH)}
        run = laboratory.run(laboratory.config(listeners={"web": listener}, pools=pools, source=self._source))
        try:
            yield Stage(VIP, PORT, run.process.pid)
        finally:
            run.stop()


class Proxied:
    """A proxy on the balancer's host."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self.name = proxy.name
        self.only = proxy.only

    def up(self, laboratory: Laboratory) -> Iterator[Stage]:
        """Run the proxy; it answers once its health check has found the server."""
        stage = Stage(CLIENT_GATEWAY, _PROXY_PORT, None)
        command = self._proxy.prepare(
            laboratory.directory,
            address=stage.address,
            port=stage.port,
            server=f"{laboratory.servers[0].address}:{PORT}",
            threads=len(os.sched_getaffinity(0)),
        )
        log = laboratory.directory / f"{self._proxy.program_name}-proxy.log"
        log.unlink(missing_ok=True)
        process = laboratory.balancer.popen(command, log=log)
        probe = ["curl", "-sf", "-m", "1", stage.url("/healthz")]
        try:
            wait_until(
                lambda: process.poll() is not None or laboratory.client.succeeds(probe),
                _START_TIMEOUT,
                f"{self.name} answers",
            )
            if process.poll() is not None:
                raise LaboratoryError(f"{self.name} ended: {log.read_text()}")
            yield Stage(stage.address, stage.port, process.pid)
        finally:
            end(process)


def contenders(*, quick: bool) -> list[Contender]:
    """All that are installed, in the order in which tables have them; `quick` leaves out SNAT."""
    ours = [Balanced(name, snat=snat) for snat in (False, True)[: 1 if quick else 2] for name in _ROUTINGS]
    others = [Proxied(proxy) for proxy in PROXIES if proxy.program]
    return [Direct(), *ours, *others]


@contextmanager
def up(contender: Contender, laboratory: Laboratory) -> Iterator[Stage]:
    """A contender for as long as the context lasts."""
    yield from contender.up(laboratory)
