"""Digests that collide all the time: no packet is rewritten with another connection's record, and none fails."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

import pytest

from fastpath.errors import TableFull
from fastpath.memory import MemoryFastPath
from fastpath.profile import SWITCH
from fastpath.records import Direction, Flow, Listener, Server, Splice
from fastpath.verdict import Punted, Sent
from slowpath.wire.endpoint import Endpoint
from tests.conformance import tofino_switch, v1model_switch
from tests.conformance.p4_target import SMALL, P4Target, Switch
from tests.conformance.packets import ACK, FIN, PSH, RST, SYN, Tcp
from tests.conformance.target import ADDRESSES, CLIENT_PORT, NEXT_HOPS, PORTS, SERVER_PORT, Rules
from tests.conformance.tofino_switch import TofinoSwitch
from tests.conformance.v1model_switch import V1ModelSwitch

_DIGEST_BITS, _OVERRIDES = 6, 64
_SIZES = {
    **SMALL,
    "DIGEST_BITS": str(_DIGEST_BITS),
    "CONNECTIONS": str(1 << _DIGEST_BITS),
    "OVERRIDES": str(_OVERRIDES),
}
_STEPS = 3000

_SERVERS = tuple(Server(number, Endpoint(bytes((10, 2, 0, number)), 8080)) for number in (1, 2, 3))
_SHARED, _OWN = frozenset({1, 2}), frozenset({3})
_LISTENERS = (
    Listener(Endpoint.parse("10.1.0.100:80"), servers=_SHARED),
    Listener(Endpoint.parse("10.1.0.101:80"), servers=_SHARED),
    Listener(Endpoint.parse("10.1.0.102:443"), servers=_OWN),
)
_RULES = Rules(_LISTENERS, _SERVERS, ())


@dataclass(slots=True)
class _Connection:
    """A client's connection, which the slow path has, or its splice."""

    flow: Flow
    server: Endpoint
    splice: Splice | None = None


class _World:
    """Clients and a slow path around the switch, and the reference with full keys beside it."""

    def __init__(self, target: P4Target, random: Random) -> None:
        self.random = random
        self.happened: Counter[str] = Counter()
        self._target = target
        self._reference = MemoryFastPath(PORTS, profile=SWITCH, addresses=ADDRESSES)
        self._connections: list[_Connection] = []
        self._waiting: list[_Connection] = []
        """Those whose SYN was held back."""
        self._next_client = 0
        target.program(_RULES)
        asyncio.run(self._reference.configure(_LISTENERS, _SERVERS, NEXT_HOPS))

    def open(self) -> None:
        """A client begins a connection."""
        self._next_client += 1
        client = Endpoint(bytes((10, 1, 1 + self.random.randrange(4), 1)), self._next_client)
        listener = self.random.choice(_LISTENERS)
        server = self.random.choice([server for server in _SERVERS if server.id in listener.servers])
        self._connect(_Connection(Flow(client, listener.endpoint), server.endpoint))

    def retry(self) -> None:
        """A client whose SYN was held back sends it again."""
        if self._waiting:
            self._connect(self._waiting.pop(self.random.randrange(len(self._waiting))))

    def _connect(self, connection: _Connection) -> None:
        """Send a SYN; if the slow path gets to see it, the connection begins."""
        client, vip = connection.flow
        if self._exchange(Tcp(source=client, destination=vip, flags=SYN, sequence=self._number()), CLIENT_PORT):
            self._connections.append(connection)
            self.happened["opened"] += 1
        else:
            self._waiting.append(connection)
            self.happened["held back"] += 1

    def finish(self) -> None:
        """Every connection ends; then those that were held back have their turn."""
        while self._connections:
            self.close()
        for _ in range(len(self._waiting)):
            self.retry()
        assert not self._waiting, "connections were held back for ever"

    def splice(self) -> None:
        """The slow path installs, or replaces, a splice; without room it goes on by itself."""
        if not self._connections:
            return
        connection = self.random.choice(self._connections)
        source = connection.flow.client
        if self.random.randrange(8) == 0:
            source = Endpoint(bytes((10, 2, 255, 1)), source.port)
        splice = Splice(connection.flow, connection.server, _id(connection.server), source, self._number())
        splice = replace(splice, pivot=self._number() if self.random.randrange(4) == 0 else None)
        try:
            self._target.install([splice])
        except TableFull:
            self.happened["refused"] += 1
            return
        asyncio.run(self._reference.install([splice]))
        connection.splice = splice
        self.happened["spliced"] += 1

    def close(self) -> None:
        """The slow path removes a connection."""
        if not self._connections:
            return
        connection = self._connections.pop(self.random.randrange(len(self._connections)))
        self._target.remove([connection.flow])
        asyncio.run(self._reference.remove([connection.flow]))
        self.happened["closed"] += 1

    def traffic(self) -> None:
        """A packet of a living connection, in either direction."""
        if not self._connections:
            return
        connection = self.random.choice(self._connections)
        source = connection.splice.source if connection.splice is not None else connection.flow.client
        direction = self.random.choice(list(Direction))
        ways = (connection.flow, (connection.server, source))
        packet = Tcp(
            source=ways[direction][0],
            destination=ways[direction][1],
            sequence=self._number(),
            acknowledgment=self._number(),
            flags=self.random.choice((ACK, ACK | PSH, ACK | FIN, RST, SYN | ACK)),
            payload=self.random.choice((b"", b"x", b"data")),
        )
        assert self._exchange(packet, (CLIENT_PORT, SERVER_PORT)[direction]), f"{packet} is lost to the slow path"

    def _exchange(self, packet: Tcp, port: int) -> bool:
        """Let `packet` arrive; returns whether it was forwarded, or got to the slow path."""
        frame = packet.arriving(port)
        expected, verdict = self._reference.receive(port, frame, 0.0), self._target.receive(port, frame)
        assert verdict == expected, f"{packet} on port {port}"
        self.happened[type(verdict).__name__] += 1
        if isinstance(verdict, Sent):
            return True
        assert isinstance(verdict, Punted)
        return bool(self._target.punt(verdict.frame))

    def _number(self) -> int:
        return self.random.getrandbits(32)


def _id(endpoint: Endpoint) -> int:
    (server,) = (server for server in _SERVERS if server.endpoint == endpoint)
    return server.id


@pytest.fixture(params=["tofino", "v1model"])
def target(request: pytest.FixtureRequest) -> Iterator[P4Target]:
    if request.param == "tofino":
        switch: Switch = TofinoSwitch(tofino_switch.compiled(sizes=_SIZES))
    else:
        switch = V1ModelSwitch(v1model_switch.compiled(sizes=_SIZES))
    target = P4Target(switch)
    yield target
    target.close()


def test_no_packet_meets_the_record_of_another_connection(target: P4Target, seed: int) -> None:
    world = _World(target, Random(seed))
    moves = (world.open, world.retry, world.splice, world.traffic, world.traffic, world.traffic, world.close)
    crowding = (world.open, world.splice, world.splice, world.traffic, world.traffic)
    for step in range(_STEPS):
        world.random.choice(crowding if step % 1000 < 700 else moves)()
    world.finish()
    assert target.counters().collisions > 0
    for name in ("opened", "held back", "spliced", "refused", "closed", "Sent", "Punted"):
        assert world.happened[name], f"nothing was {name}: {world.happened}"
