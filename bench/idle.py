"""What the slow path keeps of connections that the fast path forwards and that are idle, and how fast it finds them.

Connections are opened through the engine's own interface, with a server's SYN-ACK for each SYN, a hundred thousand a
second of virtual time, and come to rest as they do in a balancer. Memory is the growth of the process and, of fewer
connections, what Python allocates. Times are of the thread's CPU.
"""

from __future__ import annotations

import argparse
import gc
import time
import tracemalloc
from itertools import pairwise
from pathlib import Path
from random import Random

from fastpath import frame
from fastpath.frame import Action, Punt
from fastpath.records import Flow, Offer, Pivot, Reason, SynCookies
from slowpath.balancing.balancer import balancer
from slowpath.balancing.member import Member
from slowpath.routing.router import Router
from slowpath.splicing.protocols import Http
from slowpath.splicing.rest import REST_AFTER
from slowpath.splicing.search import Prefix, Wanted
from slowpath.splicing.service import Pool, Service, Timeouts
from slowpath.splicing.sources import Snat, Sources, Transparent
from slowpath.splicing.splicer import Splicer
from slowpath.tcp import cookie
from slowpath.tcp.cookie import Agreed
from slowpath.wire import sequence as seq
from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from slowpath.wire.tcp import Segment

VIP = Endpoint.parse("10.1.0.100:80")
COOKIES = SynCookies((bytes(range(16)), bytes(range(16, 32))), 0)
OFFER = Offer(mss=1460, window=2920, window_scale=7, sack=True, timestamps=True)
AGREED = Agreed(mss=1460, window_scale=7, sack=True, timestamps=True)
SYN_ACK = Options(mss=1460, window_scale=7, sack_permitted=True, timestamps=(1, 0))
REQUEST = b"GET / HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\n\r\n"
RATE = 100_000
"""Connections a second of virtual time."""
PORTS = range(1024, 65536)
TRACED = 65_536
"""Connections of which every allocation is counted."""
SAMPLE = 20_000
"""Connections that are woken and put to rest again."""


class Idle:
    """An engine with `count` connections, all at rest."""

    def __init__(self, count: int, *, pivot: Pivot, snat: bool) -> None:
        members = [Member(index, Endpoint.parse(f"10.2.0.{index + 2}:80")) for index in range(8)]
        pool = Pool("web", members, balancer("round_robin", members, Random(1)))
        router = Router([], {"web": 1})
        service = Service("web", VIP, router, {"web": pool}, Timeouts(), Http(16384), OFFER, pivot=pivot)
        sources: Sources = Snat([bytes((10, 3, 0, host)) for host in range(1, 30)]) if snat else Transparent()
        self.splicer = Splicer([service], sources, COOKIES)
        self.now = 0.0
        for index in range(count):
            self._open(client(index), index)
            self.now += 1 / RATE
            self._advance()
        self.now += 2 * REST_AFTER
        while (deadline := self.splicer.next_deadline) is not None:
            self.now = max(self.now, deadline)
            self._advance()

    def _advance(self) -> None:
        deadline = self.splicer.next_deadline
        if deadline is not None and deadline <= self.now:
            self.splicer.advance(self.now)
            self.splicer.take_outcome()

    def _open(self, source: Endpoint, index: int) -> None:
        flow, isn = Flow(source, VIP), index * 7919 % (1 << 32)
        acknowledgment = seq.add(cookie.make(COOKIES, flow, isn, AGREED), 1)
        options = Options(timestamps=(index, 1))
        request = Segment(source, VIP, seq.add(isn, 1), acknowledgment, tcp.ACK | tcp.PSH, 502, options, REQUEST)
        punt = Punt(Reason.MISS, 0, frame.encode(tcp.build(request), Action.TRANSLATE))
        self.splicer.receive(punt, tcp.parse(punt.packet), self.now)
        [sent] = self.splicer.take_outcome().frames
        syn = tcp.parse(sent[frame.PACKET_OFFSET :])
        answer = Segment(syn.destination, syn.source, isn, seq.add(syn.sequence, 1), tcp.SYN | tcp.ACK, 65535, SYN_ACK)
        self.splicer.receive(Punt(Reason.MISS, 1, b""), answer, self.now)
        self.splicer.installed(self.splicer.take_outcome().install, 0.0, self.now)
        self.splicer.take_outcome()


def client(index: int) -> Endpoint:
    """The client of a connection."""
    host, port = divmod(index, len(PORTS))
    return Endpoint(bytes((10, 1, 1 + (host >> 8), host & 255)), PORTS[port])


def rest_and_wake(idle: Idle) -> tuple[float, float]:
    """Microseconds to put a connection to rest, and to wake it."""
    rest = idle.splicer._context.rest
    keys = [key for part in rest.parts() for key in part][:SAMPLE]
    gc.disable()
    started = time.thread_time()
    junctions = [rest.wake(key, idle.now) for key in keys]
    woken = time.thread_time()
    for junction in junctions:
        assert junction is not None
        rest.put(junction, junction.key, junction.reply_key)
    done = time.thread_time()
    gc.enable()
    return (done - woken) / len(keys) * 1e6, (woken - started) / len(keys) * 1e6


def search(idle: Idle, wanted: Wanted) -> tuple[float, float]:
    """Milliseconds that a search takes, and its longest step."""
    found, times = idle.splicer.search(wanted), [time.thread_time()]
    times.extend(time.thread_time() for _ in found.steps())
    assert found.oldest
    times.append(time.thread_time())
    return (times[-1] - times[0]) * 1e3, max(after - before for before, after in pairwise(times)) * 1e3


def resident() -> int:
    """Bytes of memory that the process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=1 << 20, help="how many (default: 1048576)")
    parser.add_argument("--requests", action="store_true", help="every request is routed, not only the first one")
    parser.add_argument("--snat", action="store_true", help="servers see an address of the balancer's")
    arguments = parser.parse_args()
    kind = {"pivot": Pivot.EXACT if arguments.requests else Pivot.NONE, "snat": arguments.snat}

    Idle(100, **kind)
    tracemalloc.start()
    traced = Idle(TRACED, **kind)
    gc.collect()
    print(f"{TRACED} connections: {tracemalloc.get_traced_memory()[0] / TRACED:.0f} bytes each, allocated by Python")
    tracemalloc.stop()
    del traced
    gc.collect()

    before, started = resident(), time.thread_time()
    idle = Idle(arguments.connections, **kind)
    opened = time.thread_time() - started
    gc.collect()
    each = (resident() - before) / arguments.connections
    print(f"{idle.splicer.connection_count} connections: {each:.0f} bytes each, as the process has grown")
    print(f"opened, joined and put to rest: {opened / arguments.connections * 1e6:.0f} us each")
    print("rest: {:.1f} us; wake: {:.1f} us".format(*rest_and_wake(idle)))
    for what, wanted in (
        ("the 1000 oldest", Wanted(1000)),
        ("those of a server", Wanted(1000, server=Endpoint.parse("10.2.0.3:80"))),
        ("those of a network", Wanted(1000, client=Prefix(bytes((10, 1, 1, 0)), 24))),
    ):
        print("search for {}: {:.0f} ms, {:.1f} ms of it at once".format(what, *search(idle, wanted)))
    started = time.thread_time()
    gc.collect()
    print(f"a full collection of Python's garbage: {(time.thread_time() - started) * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
