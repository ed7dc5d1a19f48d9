"""What a vector is, and the network that all of them share."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fastpath.interface import Closed
from fastpath.records import Direction, Drop, Flow, Listener, Reason, Server, Splice
from fastpath.verdict import Dropped, Passed, Punted, Sent, Verdict
from slowpath.wire.endpoint import Endpoint
from tests.conformance.packets import Tcp
from tests.conformance.target import CLIENT_PORT, SERVER_PORT, Rules

VIP = Endpoint.parse("10.1.0.100:80")
SERVER = Endpoint.parse("10.2.0.2:8080")
FAR_SERVER = Endpoint.parse("192.0.2.10:80")
CLIENT = Endpoint.parse("10.1.0.2:40000")
FAR_CLIENT = Endpoint.parse("192.0.2.9:41000")
STRANGER = Endpoint.parse("10.1.0.77:1234")
SNAT = Endpoint.parse("10.2.0.17:50001")

DELTA, TIMESTAMP_DELTA = 0x1111_2222, 0x3333_4444

PLAIN = Splice(Flow(CLIENT, VIP), SERVER, 7, CLIENT, DELTA, TIMESTAMP_DELTA)
SNATTED = Splice(Flow(Endpoint.parse("10.1.0.3:40001"), VIP), SERVER, 7, SNAT, DELTA, TIMESTAMP_DELTA)
TO_NOWHERE = Splice(Flow(Endpoint.parse("10.1.0.5:40003"), VIP), FAR_SERVER, 9, Endpoint.parse("10.1.0.5:40003"), DELTA)
FROM_NOWHERE = Splice(Flow(FAR_CLIENT, VIP), SERVER, 7, FAR_CLIENT, DELTA)

RULES = Rules(
    listeners=(Listener(VIP),),
    servers=(Server(7, SERVER), Server(9, FAR_SERVER)),
    splices=(PLAIN, SNATTED, TO_NOWHERE, FROM_NOWHERE),
)

UP = Tcp(source=CLIENT, destination=VIP)
"""A packet of PLAIN from the client, as it arrives."""
UP_LEFT = replace(UP, destination=SERVER, acknowledgment=(2000 - DELTA) % 2**32, ttl=63)
"""The same packet as it leaves."""
DOWN = Tcp(source=SERVER, destination=CLIENT)
"""A packet of PLAIN from the server, as it arrives."""
DOWN_LEFT = replace(DOWN, source=VIP, sequence=1000 + DELTA, ttl=63)
"""The same packet as it leaves."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame that arrives on a port."""

    port: int
    frame: bytes


@dataclass(frozen=True, slots=True)
class Injection:
    """A frame that the slow path injects: Ethernet with the CPU header, no offload header."""

    frame: bytes


Stimulus = Arrival | Injection


@dataclass(frozen=True, slots=True)
class Counted:
    """What a translated packet adds to a server's counters: one packet of `bytes` bytes."""

    server_id: int
    direction: Direction
    bytes: int


@dataclass(frozen=True, slots=True)
class Vector:
    """One frame and everything that a target must do with it, after the frames in `before`."""

    name: str
    stimulus: Stimulus
    verdict: Verdict
    counted: Counted | None = None
    closed: tuple[Closed, ...] = ()
    before: tuple[Stimulus, ...] = ()
    rules: Rules = RULES
    followed: int | None = None
    """The label of the precedent that the last frame follows."""


def with_splice(splice: Splice) -> Rules:
    """RULES with `splice` in place of the one of its flow."""
    return replace(RULES, splices=(*(other for other in RULES.splices if other.flow != splice.flow), splice))


def up(packet: Tcp = UP) -> Arrival:
    """`packet` arrives from the clients' side."""
    return Arrival(CLIENT_PORT, packet.arriving(CLIENT_PORT))


def down(packet: Tcp = DOWN) -> Arrival:
    """`packet` arrives from the servers' side."""
    return Arrival(SERVER_PORT, packet.arriving(SERVER_PORT))


def to_server(name: str, arrives: Tcp, leaves: Tcp, splice: Splice | None = None) -> Vector:
    """`arrives` comes from the client and goes on to the server as `leaves`; through PLAIN or `splice`."""
    length = len(arrives.packet()) - len(arrives.padding)
    return Vector(
        f"to server: {name}",
        up(arrives),
        Sent(SERVER_PORT, leaves.leaving(SERVER_PORT)),
        Counted((splice or PLAIN).server_id, Direction.TO_SERVER, length),
        rules=with_splice(splice or PLAIN),
    )


def to_client(name: str, arrives: Tcp, leaves: Tcp, splice: Splice | None = None) -> Vector:
    """`arrives` comes from the server and goes on to the client as `leaves`; through PLAIN or `splice`."""
    length = len(arrives.packet()) - len(arrives.padding)
    return Vector(
        f"to client: {name}",
        down(arrives),
        Sent(CLIENT_PORT, leaves.leaving(CLIENT_PORT)),
        Counted((splice or PLAIN).server_id, Direction.TO_CLIENT, length),
        rules=with_splice(splice or PLAIN),
    )


def punted(name: str, reason: Reason, packet: Tcp, port: int = CLIENT_PORT, splice: Splice = PLAIN) -> Vector:
    """`packet` arrives on `port` and goes to the slow path."""
    arrival = Arrival(port, packet.arriving(port))
    verdict = Punted(reason, packet.punted(reason, port))
    return Vector(f"punted {reason.name.lower()}: {name}", arrival, verdict, rules=with_splice(splice))


def dropped(name: str, reason: Drop, packet: Tcp, port: int = CLIENT_PORT, splice: Splice = PLAIN) -> Vector:
    """`packet` arrives on `port` and goes nowhere."""
    arrival = Arrival(port, packet.arriving(port))
    return Vector(f"dropped {reason.name.lower()}: {name}", arrival, Dropped(reason), rules=with_splice(splice))


def passed(name: str, frame: bytes, port: int = CLIENT_PORT) -> Vector:
    """`frame` arrives on `port` and is none of the fast path's business."""
    return Vector(f"passed: {name}", Arrival(port, frame), Passed())
