"""The CPU time that the slow path takes for a connection and for a request, step by step, without any I/O.

Punted frames go through the driver, the engine and back to a fast path that only notes what it is asked for: new
connections whose SYNs were answered already, requests that stay with their server, and requests that leave it for
another. A step is what a batch of one kind of packets costs; a part is what a function of it costs alone, called with
the same input. Figures are the medians of rounds, in microseconds of the thread's CPU time.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import TypeAlias

from fastpath import frame
from fastpath.frame import Action, Punt
from fastpath.interface import Batch, Closed
from fastpath.records import (
    Counters,
    Direction,
    Flow,
    Limits,
    Listener,
    NextHop,
    Offer,
    Pivot,
    Reason,
    Server,
    Splice,
    SynCookies,
    Volume,
)
from fastpath.unlearning import Unlearning
from slowpath.balancing.balancer import balancer
from slowpath.balancing.member import Member
from slowpath.driver.driver import Driver
from slowpath.health.health import Health
from slowpath.http.head import HeadReader
from slowpath.routing.matchers import Prefix
from slowpath.routing.router import Router, Rule
from slowpath.splicing import splicer
from slowpath.splicing.protocols import Http
from slowpath.splicing.service import Pool, Service, Timeouts
from slowpath.splicing.sources import Transparent
from slowpath.splicing.splicer import Splicer
from slowpath.tcp import cookie
from slowpath.tcp.cookie import Agreed
from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from slowpath.wire.tcp import Segment

VIP = Endpoint.parse("10.1.0.100:80")
COOKIES = SynCookies((bytes(range(16)), bytes(range(16, 32))), 0)
OFFER = Offer(mss=1460, window=2920, window_scale=7, sack=True, timestamps=True)
AGREED = Agreed(mss=1460, window_scale=7, sack=True, timestamps=True)
RESPONSE = 1200
"""Bytes that a client acknowledges with each request after its first."""
_A_WHILE = 0.01
CHECKSUM_PENDING = 1
"""The flag of a virtio_net_hdr that says so, as of all packets between network namespaces of one machine."""
REQUEST = b"GET /%s HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\n\r\n"
STAYING, CHANGING = REQUEST % b"a/index.html", REQUEST % b"b/index.html"

Figures: TypeAlias = dict[str, list[float]]
"""Microseconds by step, one figure a round."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each step (default: 5)")
    parser.add_argument("--connections", type=int, default=2048, help="connections in a measurement (default: 2048)")
    parser.add_argument("--batch", type=int, default=16, help="packets in a batch (default: 16)")
    arguments = parser.parse_args()
    print(f"slowpath.splicing.splicer is {'compiled' if splicer.__file__.endswith('.so') else 'interpreted'}")
    for scenario in (Connections, Staying, Changing):
        figures: Figures = defaultdict(list)
        for _ in range(arguments.rounds + 1):
            bench = scenario(arguments.connections, arguments.batch)
            asyncio.run(bench.run())
            for step, seconds in bench.seconds.items():
                figures[step].append(seconds / arguments.connections * 1e6)
        show(scenario.title, {step: each[1:] for step, each in figures.items()}, total=True)
    show("parts, each alone", parts(arguments.rounds), total=False)


def show(title: str, figures: Mapping[str, Sequence[float]], *, total: bool) -> None:
    """Print a table."""
    medians = {step: statistics.median(each) for step, each in figures.items()}
    print(f"\n{title}")
    for step, median in medians.items():
        share = f"  {median / sum(medians.values()):4.0%}" if total else ""
        print(f"  {step:44} {median:7.1f} us{share}  (from {min(figures[step]):.1f} to {max(figures[step]):.1f})")
    if total:
        print(f"  {'all':44} {sum(medians.values()):7.1f} us")


class ReplayFastPath(Unlearning):
    """A FastPath that gives out the batches of a scenario, and keeps what it is asked for."""

    limits = Limits(1 << 20, timestamps=True, pivot=Pivot.EXACT, ipv6=True, snat=True, answers_syns=True)

    def __init__(self, batches: Callable[[], AsyncIterator[Batch]]) -> None:
        self._batches = batches
        self.injected: list[bytes] = []
        self.installed = self.updated = self.removed = self.withdrawn = 0

    async def configure(
        self, listeners: Sequence[Listener], servers: Sequence[Server], next_hops: Sequence[NextHop]
    ) -> None:
        pass

    async def rotate(self, cookies: SynCookies) -> None:
        pass

    async def install(self, splices: Sequence[Splice]) -> None:
        self.installed += len(splices)

    async def update(self, splices: Sequence[Splice]) -> None:
        self.updated += len(splices)

    async def remove(self, flows: Sequence[Flow]) -> None:
        self.removed += len(flows)

    async def withdraw(self, flows: Sequence[Flow]) -> None:
        self.withdrawn += len(flows)

    def last_seen(self, flow: Flow, direction: Direction) -> float | None:
        return None

    def traffic(self, flows: Sequence[Flow]) -> Sequence[tuple[Volume, Volume] | None]:
        return [None for _ in flows]

    def inject(self, frames: Iterable[bytes]) -> None:
        self.injected += frames

    def events(self) -> AsyncIterator[Batch]:
        return self._batches()

    def splices(self) -> Iterable[Splice]:
        return ()

    def counters(self) -> Counters:
        return Counters()

    async def close(self) -> None:
        pass


class Scenario(ABC):
    """Connections that all take the same steps; `seconds` is what each step took for all of them."""

    title = ""
    routing = Pivot.NONE

    def __init__(self, connections: int, batch: int) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._batch = batch
        members = [Member(number, Endpoint(bytes((10, 2, 0, 2 + number)), 80)) for number in range(2)]
        pools = {
            name: Pool(name, [member], balancer("round_robin", [member], Random(1)))
            for name, member in zip("ab", members, strict=True)
        }
        rules = [Rule({"a": 1}, path=Prefix("/a/")), Rule({"b": 1}, path=Prefix("/b/"))]
        timeouts = Timeouts(linger=0.0)
        service = Service(
            "web", VIP, Router(rules), pools, timeouts, Http(16384, http2=False), OFFER, pivot=self.routing
        )
        self.fastpath = ReplayFastPath(self._steps)
        engine = Splicer([service], Transparent(), COOKIES)
        self._driver = Driver(self.fastpath, engine, Health(lambda _: None, Random(1)), COOKIES, lambda: None)
        self._clients = [
            Client(Endpoint((10 << 24 | number).to_bytes(4, "big"), 40000)) for number in range(connections)
        ]
        self._by_endpoint = {client.endpoint: client for client in self._clients}

    async def run(self) -> None:
        """Take all steps."""
        await self._driver.run()

    @abstractmethod
    def _steps(self) -> AsyncIterator[Batch]:
        """The batches of all steps."""

    async def _step(self, name: str | None, punts: Sequence[tuple[Reason, Segment]]) -> AsyncIterator[Batch]:
        """Punt these packets in batches; a step without a name is not measured."""
        self.fastpath.injected.clear()
        raws = [punted(reason, segment) for reason, segment in punts]
        gc.collect()
        begun = time.thread_time()
        for start in range(0, len(raws), self._batch):
            # What the fast path does with what it has received is part of the cost.
            yield Batch([frame.decode(raw) for raw in raws[start : start + self._batch]])
        if name is not None:
            self.seconds[name] += time.thread_time() - begun

    async def _connect(self, *, measured: bool) -> AsyncIterator[Batch]:
        requests = [(Reason.MISS, client.request(STAYING)) for client in self._clients]
        async for batch in self._step("request: cookie, head, route, SYN" if measured else None, requests):
            yield batch
        async for batch in self._step("SYN-ACK: join, install, inject" if measured else None, self._syn_acks()):
            yield batch

    def _syn_acks(self) -> list[tuple[Reason, Segment]]:
        """What the servers answer the SYNs with that were injected in the latest step."""
        answers = []
        for raw in self.fastpath.injected:
            syn = tcp.parse(raw[frame.PACKET_OFFSET :], checksum_known=True)
            if syn.flags & tcp.SYN:
                answers.append((Reason.MISS, self._by_endpoint[syn.source].syn_ack(syn)))
        assert len(answers) == len(self._clients)
        return answers


class Connections(Scenario):
    """New connections, each with one request, which end."""

    title = "new connection"

    async def _steps(self) -> AsyncIterator[Batch]:
        async for batch in self._connect(measured=True):
            yield batch
        closed = [Closed(client.flow, reset=False) for client in self._clients]
        gc.collect()
        begun = time.thread_time()
        for start in range(0, len(closed), self._batch):
            yield Batch(closed=closed[start : start + self._batch])
        # The linger of 0 s ends with the timer, which takes no CPU time until it does.
        while self.fastpath.removed < len(closed):  # noqa: ASYNC110
            await asyncio.sleep(_A_WHILE)
        self.seconds["close: report, linger, remove"] += time.thread_time() - begun
        assert self.fastpath.installed == self.fastpath.removed == len(self._clients)


class Staying(Scenario):
    """The next request goes to the same server."""

    title = "next request, same server"
    routing = Pivot.EXACT

    async def _steps(self) -> AsyncIterator[Batch]:
        async for batch in self._connect(measured=False):
            yield batch
        requests = [(Reason.PIVOT, client.next(STAYING)) for client in self._clients]
        async for batch in self._step("request: head, route, pivot, inject", requests):
            yield batch
        assert self.fastpath.updated == len(self._clients)


class Changing(Scenario):
    """The next request goes to another server."""

    title = "next request, another server"
    routing = Pivot.EXACT

    async def _steps(self) -> AsyncIterator[Batch]:
        async for batch in self._connect(measured=False):
            yield batch
        requests = [(Reason.PIVOT, client.next(CHANGING)) for client in self._clients]
        async for batch in self._step("request: head, route, withdraw, FIN", requests):
            yield batch
        ends = [(Reason.MISS, client.server_fin()) for client in self._clients]
        async for batch in self._step("FIN of the server: session, SYN", ends):
            yield batch
        async for batch in self._step("SYN-ACK: join, install, inject", self._syn_acks()):
            yield batch
        assert self.fastpath.withdrawn == len(self._clients)
        assert self.fastpath.installed == 2 * len(self._clients)


class Client:
    """A client and its server: which packets they send next."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.flow = Flow(endpoint, VIP)
        self._isn = int.from_bytes(endpoint.address, "big") * 2654435761 & 0xFFFF_FFFF
        self._cookie = cookie.make(COOKIES, self.flow, self._isn, AGREED)
        self._server = Endpoint(b"", 0)
        self._sent = self._received = 1

    def request(self, data: bytes) -> Segment:
        """The next request, `data`, which acknowledges what has been received."""
        segment = Segment(
            self.endpoint,
            VIP,
            self._isn + self._sent & 0xFFFF_FFFF,
            self._cookie + self._received & 0xFFFF_FFFF,
            tcp.ACK | tcp.PSH,
            502,
            Options(timestamps=(1000, 1)),
            data,
        )
        self._sent += len(data)
        return segment

    def next(self, data: bytes) -> Segment:
        """The next request, once there is a response."""
        self._received += RESPONSE
        return self.request(data)

    def syn_ack(self, syn: Segment) -> Segment:
        """What a server answers `syn`, whose connection begins."""
        self._server = syn.destination
        options = Options(mss=1460, window_scale=7, sack_permitted=True, timestamps=(77, 1000))
        return Segment(
            syn.destination, syn.source, 1, syn.sequence + 1 & 0xFFFF_FFFF, tcp.SYN | tcp.ACK, 65160, options
        )

    def server_fin(self) -> Segment:
        """The FIN of a first server, which has answered one request, had our FIN, and whose initial SEQ was 1."""
        ours = self._isn + 1 + len(STAYING) + 1
        stamps = Options(timestamps=(78, 1000))
        flags = tcp.FIN | tcp.ACK
        return Segment(self._server, self.endpoint, 2 + RESPONSE, ours & 0xFFFF_FFFF, flags, 501, stamps)


def punted(reason: Reason, segment: Segment) -> bytes:
    """The frame in which the fast path punts a packet."""
    raw = bytearray(frame.encode(tcp.build(segment), Action.TRANSLATE, port=0))
    raw[0] = CHECKSUM_PENDING
    raw[frame.OFFLOAD_LENGTH + 1] = reason
    return bytes(raw)


def parts(rounds: int) -> Figures:
    """What single functions take of a new connection's time, in microseconds."""
    client = Client(Endpoint.parse("10.0.0.1:40000"))
    request = client.request(STAYING)
    raw = punted(Reason.MISS, request)
    packet = Punt(Reason.MISS, 0, raw).packet
    syn = replace(request, payload=b"", flags=tcp.SYN, options=Options(1460, 7, True, (1000, 0)))
    syn_ack = tcp.build(client.syn_ack(syn))
    isn, cookie_isn = request.sequence - 1 & 0xFFFF_FFFF, request.acknowledgment - 1 & 0xFFFF_FFFF
    http = Http(16384, http2=False)
    head = HeadReader().feed(STAYING)
    assert head is not None
    members = [Member(number, Endpoint(bytes((10, 2, 0, 2 + number)), 80)) for number in range(2)]
    pool = Pool("web", members, balancer("round_robin", members, Random(1)))
    router = Router([Rule({"a": 1}, path=Prefix("/a/")), Rule({"b": 1}, path=Prefix("/b/"))])
    functions: dict[str, Callable[[], object]] = {
        "decode a frame": lambda: frame.decode(raw),
        "parse a request's packet": lambda: tcp.parse(packet, checksum_known=True),
        "the same with its checksum": lambda: tcp.parse(packet),
        "parse a SYN-ACK's packet": lambda: tcp.parse(syn_ack, checksum_known=True),
        "check a cookie": lambda: cookie.check(COOKIES, client.flow, isn, cookie_isn),
        "read a request head": lambda: HeadReader().feed(STAYING),
        "one that has come before": lambda: http.opening().feed(STAYING),
        "route a request": lambda: router.choose(head),
        "choose a server": lambda: pool.choose(client.endpoint, head, (), 0.0),
        "build a SYN": lambda: frame.encode(tcp.build(syn), Action.ROUTE),
        "inject a punted frame": lambda: Punt(Reason.MISS, 0, raw).reinjected(Action.TRANSLATE),
    }
    calls = 2000
    figures: Figures = defaultdict(list)
    for _ in range(rounds):
        for name, function in functions.items():
            begun = time.thread_time()
            for _ in range(calls):
                function()
            figures[name].append((time.thread_time() - begun) / calls * 1e6)
    return figures


if __name__ == "__main__":
    main()
