"""HTTP over the simulated network: servers that say who they are, and a client that knows what it has to get."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from fastpath.profile import HOST, Profile
from slowpath.accesslog.entry import Journal
from slowpath.balancing.balancer import balancer
from slowpath.routing.matchers import Prefix
from slowpath.routing.router import Router, Rule
from slowpath.splicing.observer import UNOBSERVED, Observer
from slowpath.splicing.rest import REST_AFTER
from slowpath.splicing.service import Pool, Timeouts
from slowpath.splicing.sources import Sources
from tests.simulation.network import Impairment
from tests.simulation.peer import Ability, Peer
from tests.simulation.world import SERVERS, World

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: (\d+)")


def get(path: str, *fields: str) -> bytes:
    """A request without a body."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: a", *fields, "", ""]).encode()


def post(path: str, body: bytes, *fields: str) -> bytes:
    """A request with a body of known length."""
    lines = [f"POST {path} HTTP/1.1", "Host: a", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


def body_of(path: str, server: int, received: int = 0) -> bytes:
    """What server number `server` answers; `/x/3000` pads it to 3000 bytes."""
    said = f"{path} by {server} after {received}\n".encode()
    size = path.rpartition("/")[2]
    return said.ljust(int(size), b".") if size.isdigit() else said


def response(path: str, server: int, received: int = 0) -> bytes:
    """The whole response to a request with a body of `received` bytes."""
    body = body_of(path, server, received)
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


class Application:
    """What runs on a server: each request answered in turn, after `delay` seconds; it closes as it is told to."""

    def __init__(self, world: Routed, peer: Peer) -> None:
        self._world, self._peer, self._read = world, peer, 0
        self._busy = False
        self.requests: list[tuple[str, int]] = []
        self.heads: list[bytes] = []
        peer.on_data = self._next
        peer.forgives = True

    def _next(self) -> None:
        if self._busy or self._peer.was_reset:
            return
        data = bytes(self._peer.received[self._read :])
        head, blank, rest = data.partition(b"\r\n\r\n")
        length = int(found[1]) if (found := _LENGTH.search(head)) else 0
        chunked = b"chunked" in head
        if not blank or (len(rest) < length if not chunked else b"0\r\n\r\n" not in rest):
            if self._peer.got_fin and not data:
                self._peer.shutdown()
            return
        if chunked:
            length = rest.index(b"0\r\n\r\n") + 5
        self._read += len(head) + 4 + length
        path = head.split(b" ")[1].decode()
        self.requests.append((path, length))
        self.heads.append(head)
        self._busy = True
        self._world.clock.at(self._world.clock.now + self._world.delay, lambda: self._answer(path, length, head))

    def _answer(self, path: str, length: int, head: bytes) -> None:
        self._busy = False
        if self._peer.was_reset:
            return
        if self._peer.got_fin and self._world.impatient:
            self._peer.shutdown()
            return
        self._peer.write(self._world.answers.get(path) or response(path, SERVERS.index(self._peer.local), length))
        if b"Connection: close" in head or path in self._world.closing:
            self._peer.shutdown()
            return
        if self._world.idle_close is not None:
            count = len(self.requests)
            self._world.clock.at(self._world.clock.now + self._world.idle_close, lambda: self._close_if_idle(count))
        self._next()

    def _close_if_idle(self, count: int) -> None:
        if count == len(self.requests) and not self._busy and self._read == len(self._peer.received):
            self._peer.shutdown()


class Routed(World):
    """Paths under /b go to pool `b`, which is the second server, all others to pool `a`, which is the first."""

    def __init__(
        self,
        seed: int = 0,
        impairment: Impairment = Impairment(),
        *,
        sources: Sources | None = None,
        timeouts: Timeouts = Timeouts(),
        profile: Profile = HOST,
        capacity: int = 1000,
        journal: Journal | None = None,
        observer: Observer = UNOBSERVED,
        rest_after: float = REST_AFTER,
    ) -> None:
        super().__init__(
            seed,
            impairment,
            sources=sources,
            timeouts=timeouts,
            profile=profile,
            capacity=capacity,
            journal=journal,
            observer=observer,
            rest_after=rest_after,
        )
        self.delay = 0.0
        self.impatient = False
        """Whether servers take a half-close for a client that is gone."""
        self.idle_close: float | None = None
        self.closing: set[str] = set()
        self.answers: dict[str, bytes] = {}
        self.applications: list[Application] = []
        self.serve = lambda peer: self.applications.append(Application(self, peer))
        members = self.members
        self.service.pools = {
            "a": Pool("a", members[:1], balancer("round_robin", members[:1], self.random)),
            "b": Pool("b", members[1:], balancer("round_robin", members[1:], self.random)),
        }
        self.service.router = Router([Rule({"b": 1}, path=Prefix("/b"))], {"a": 1})
        self.service.pivot = profile.pivot
        self.service.precedents = self.fastpath.limits.precedents
        self.service.offer = replace(self.service.offer)

    @property
    def requests(self) -> list[tuple[str, int]]:
        """What all servers were asked for."""
        return [request for application in self.applications for request in application.requests]

    def settle(self) -> None:
        """Nothing may be left once everybody has closed."""
        self.clock.run(90.0)
        assert (self.records, len(self.splicer.connections())) == (0, 0)
        assert all(member.connections == 0 for member in self.members)


def expected(requests: Sequence[bytes]) -> bytes:
    """The responses to `requests`, in their order."""
    whole = b""
    for request in requests:
        head, _, body = request.partition(b"\r\n\r\n")
        path = head.split(b" ")[1].decode()
        whole += response(path, 1 if path.startswith("/b") else 0, len(body))
    return whole


def converse(
    world: Routed, client: Peer, requests: Sequence[bytes], *, at_once: int = 1, seconds: float = 300.0
) -> None:
    """Send requests, `at_once` in a row, each row after the responses to the one before."""
    for start in range(0, len(requests), at_once):
        row = requests[start : start + at_once]
        have = len(client.received)
        want = expected(row)
        client.write(b"".join(row))
        world.clock.run(seconds, answered(client, have + len(want)))
        assert bytes(client.received[have:]) == want


def pipeline(world: Routed, ability: Ability, iss: int | None, requests: Sequence[bytes], at_once: int) -> Peer:
    """As `converse`, but a connection may end behind any response but the last; the rest is asked for on a new one.

    That is what clients that pipeline have to do (RFC 9112 section 9.3.2). The last connection is returned.
    """
    left, port = list(requests), 40000
    client, row = world.client(port, ability, iss), left[:at_once]
    while row:
        have, want = len(client.received), expected(row)
        client.write(b"".join(row))
        world.clock.run(300.0, answered(client, have + len(want)))
        got = bytes(client.received[have:])
        count = next(count for count in range(len(row), -1, -1) if got == expected(row[:count]))
        del left[:count]
        if count < len(row):
            assert client.got_fin and not client.was_reset
            assert count or have, "a connection without an answer"
            client.shutdown()
            port += 1
            client = world.client(port, ability, iss)
        row = left[:at_once]
    return client


def answered(client: Peer, size: int) -> Callable[[], bool]:
    """Whether the client has `size` bytes, or will get no more."""
    return lambda: len(client.received) >= size or client.was_reset or client.got_fin
