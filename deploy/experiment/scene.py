"""Where a load is measured: a laboratory, with L7LB in it or without."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from deploy.experiment.capture import Capture
from deploy.experiment.load import Load
from deploy.experiment.measurement import Measurement, Mode
from deploy.experiment.size import label
from deploy.experiment.tally import Direction, Tally
from deploy.experiment.tap import Tap
from deploy.laboratory import VIP, Laboratory, Run
from deploy.laboratory.configuration import pool
from deploy.laboratory.namespace import LaboratoryError, wait_until
from deploy.laboratory.topology import CLIENT_GATEWAY

_ATTEMPTS = 3
_MEMORY = 5.0
"""Seconds; L7LB removes the record of a connection 2 s after its end."""
_RECEIVE_BUFFER = "net.ipv4.tcp_rmem=4096 65536 262144"
"""Bytes (least, at first, most) for each connection of a client, so that no more than some thousand packets of all
wait in a switch in software, which handshakes have to wait for."""
_PATIENT_ROUTES = (
    # The least retransmission timeout is that of RFC 6298 (2.4). Linux's own of 200 ms can be less than a busy switch
    # in software takes to connect, and what clients then send again says nothing of L7LB.
    f"route change default via {CLIENT_GATEWAY} rto_min 1s",
    f"route add {VIP} dev eth0 rto_min 1s",
)
_ONCE = {"tcp": True, "interval": "60m", "timeout": "1s", "rise": 1, "fall": 1}
"""Health checks that are over before the first load starts."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A laboratory in one mode: what to ask for there, and where packets are captured."""

    mode: Mode
    laboratory: Laboratory
    taps: Sequence[Tap]
    run: Run | None
    """L7LB, if it is there."""

    def measure(self, load: Load, size: int) -> Measurement:
        """Have all clients ask for random data of `size` bytes, and count; raises LaboratoryError.

        Where capture and slow path did not count the same packets, all is done again, up to three times.
        """
        for _ in range(_ATTEMPTS):
            measured = self._attempt(load, size)
            if isinstance(measured, Measurement):
                return measured
        raise LaboratoryError(f"{self.mode.value}, {label(size)}: {measured}, {_ATTEMPTS} times")

    def _attempt(self, load: Load, size: int) -> Measurement | str:
        """A measurement, or why there is none this time."""
        name = f"random-{size}"
        self.laboratory.serve(name, os.urandom(size))
        clients = self.laboratory.clients
        urls = [self._url(number, name) for number in range(len(clients))]
        self._forget()
        with Capture(self.laboratory.balancer, self.taps, [client.address for client in clients]) as capture:
            before = self._slow_path_packets()
            seconds = load.run(clients, urls, size, self.laboratory.directory)
            capture.wait_until_quiet()
            after = self._slow_path_packets()
        if capture.lost:
            return "packets came faster than they could be captured (ask for fewer --requests or --clients)"
        problem = _contradiction(capture.tally, load.requests * len(clients))
        if problem:
            raise LaboratoryError(f"{self.mode.value}, {label(size)}: {problem}")
        counted = {direction: after[direction] - before[direction] for direction in after}
        slow_path = sum(counted.values()) if self.run else None
        return _disagreement(capture.tally, counted) or Measurement.of(
            self.mode, size, capture.tally, slow_path=slow_path, seconds=seconds
        )

    def _forget(self) -> None:
        """Wait until L7LB has removed the records of the last load: a port that has one costs it two packets more.

        A record whose end was not reported stays for longer, which is a matter of few.
        """
        if self.run:
            run = self.run
            with suppress(LaboratoryError):
                wait_until(lambda: run.metrics().total("l7lb_splices") == 0, _MEMORY, "splices are removed", 0.25)

    def _url(self, number: int, name: str) -> str:
        """What a client asks for: each has one server, which L7LB finds by its rules."""
        server = self.laboratory.servers[number % len(self.laboratory.servers)]
        host = server.address if self.mode is Mode.TRANSPARENT else VIP
        return f"http://{host}/{server.name}/{name}"

    def _slow_path_packets(self) -> dict[Direction, int]:
        """L7LB's own count since its start."""
        if not self.run:
            return {}
        metrics = self.run.metrics()
        return {
            direction: int(metrics.total("l7lb_slowpath_packets_total", direction=direction.value))
            for direction in Direction
        }


def _contradiction(tally: Tally, requests: int) -> str | None:
    """Why a tally cannot be right, by the number of answered requests."""
    if len(tally.connections) != requests:
        return f"{len(tally.connections)} connections with data were captured for {requests} requests"
    if tally.oversized:
        return f"{tally.oversized} packets are larger than the MTU, so that they cannot be compared: offloads are on"
    return None


def _disagreement(tally: Tally, counted: Mapping[Direction, int]) -> str | None:
    """In what a tally and the slow path's own count differ: a packet sent again may come between the two."""
    for direction, number in counted.items():
        if number != tally.captured[direction]:
            return (
                f"{tally.captured[direction]} packets were captured on their way {direction.value} of the slow path's "
                f"namespace, but the slow path counted {number}"
            )
    return None


@contextmanager
def transparent(clients: int, servers: int) -> Iterator[Scene]:
    """Without L7LB: the main namespace routes. Every packet that it forwards is captured once, as it arrives."""
    with _laboratory("ebpf", clients, servers) as laboratory:
        taps = [Tap(interface, Direction.IN) for interface in laboratory.interfaces]
        yield Scene(Mode.TRANSPARENT, laboratory, taps, None)


@contextmanager
def balanced(fastpath: str, clients: int, servers: int) -> Iterator[Scene]:
    """With L7LB: what crosses the interface between the fast path and the slow path is captured, both ways."""
    with _laboratory(fastpath, clients, servers) as laboratory:
        run = laboratory.run(laboratory.config(**_rules(laboratory)))
        taps = [Tap(laboratory.cpu_interface, direction) for direction in Direction]
        yield Scene(Mode.BALANCED, laboratory, taps, run)


@contextmanager
def _laboratory(fastpath: str, clients: int, servers: int) -> Iterator[Laboratory]:
    with Laboratory(servers, clients=clients, fastpath=fastpath) as laboratory:
        laboratory.set_offloads(False)
        for client in laboratory.clients:
            client.sysctl(_RECEIVE_BUFFER)
            client.ip(_PATIENT_ROUTES)
        yield laboratory


def _rules(laboratory: Laboratory) -> dict[str, object]:
    """A pool for each server, chosen by the first part of the path; every connection is seen by the slow path."""
    default = laboratory.default_config()
    web, fastpath = default["listeners"]["web"], default["fastpath"]
    routes = [{"path": {"prefix": f"/{server.name}/"}, "pool": server.name} for server in laboratory.servers]
    return {
        "fastpath": fastpath | ({"learning": False} if fastpath["kind"] == "ebpf" else {}),
        "listeners": {"web": web | {"routes": routes, "default": laboratory.servers[0].name}},
        "pools": {server.name: pool(server.address, health=_ONCE) for server in laboratory.servers},
    }
