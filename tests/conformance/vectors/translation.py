"""Translated packets: addresses, SEQ, ACK, TTL, checksums, and all that must not change."""

from __future__ import annotations

from dataclasses import replace

from slowpath.wire.endpoint import Endpoint
from tests.conformance.packets import ACK, CWR, ECE, FIN, PSH, URG, Tcp
from tests.conformance.target import CLIENT_PORT
from tests.conformance.vectors.model import (
    CLIENT,
    DELTA,
    DOWN,
    DOWN_LEFT,
    PLAIN,
    SERVER,
    SNAT,
    SNATTED,
    UP,
    UP_LEFT,
    VIP,
    Arrival,
    Vector,
    to_client,
    to_server,
)

_LARGEST = 2**32 - 1


def _both(name: str, **fields: object) -> tuple[Vector, Vector]:
    """One vector in each direction, in which `fields` must not change."""
    return (
        to_server(name, _with(UP, fields), _with(UP_LEFT, fields)),
        to_client(name, _with(DOWN, fields), _with(DOWN_LEFT, fields)),
    )


def _with(packet: Tcp, fields: dict[str, object]) -> Tcp:
    return replace(packet, **fields)  # type: ignore[arg-type]


def _delta(delta: int, acknowledgment: int, expected: int) -> Vector:
    """An ACK toward the server through a splice with `delta`."""
    arrives = replace(UP, acknowledgment=acknowledgment)
    leaves = replace(UP_LEFT, acknowledgment=expected)
    return to_server(f"delta {delta:#x} from {acknowledgment:#x}", arrives, leaves, replace(PLAIN, delta=delta))


def _sequence(delta: int, sequence: int, expected: int) -> Vector:
    """A segment toward the client through a splice with `delta`."""
    arrives, leaves = replace(DOWN, sequence=sequence), replace(DOWN_LEFT, sequence=expected)
    return to_client(f"delta {delta:#x} from {sequence:#x}", arrives, leaves, replace(PLAIN, delta=delta))


_SNAT_UP = replace(UP, source=Endpoint.parse("10.1.0.3:40001"), payload=b"GET / HTTP/1.1\r\n\r\n")
_SNAT_UP_LEFT = replace(_SNAT_UP, source=SNAT, destination=SERVER, acknowledgment=(2000 - DELTA) % 2**32, ttl=63)
_SNAT_DOWN = replace(DOWN, destination=SNAT, payload=b"HTTP/1.1 200 OK\r\n\r\n")
_SNAT_DOWN_LEFT = replace(
    _SNAT_DOWN, source=VIP, destination=Endpoint.parse("10.1.0.3:40001"), sequence=1000 + DELTA, ttl=63
)


def _zero_window(packet: Tcp) -> int:
    """The window with which the TCP checksum of `packet`, which has no IPv4 options, is 0."""
    return int.from_bytes(replace(packet, window=0).packet()[36:38], "big")


_ZERO_IN, _ZERO_OUT = _zero_window(UP), _zero_window(UP_LEFT)
_ZERO_UP = replace(UP, window=_ZERO_IN)
_NEGATIVE_ZERO = _ZERO_UP.arriving(CLIENT_PORT)[:50] + b"\xff\xff" + _ZERO_UP.arriving(CLIENT_PORT)[52:]
"""_ZERO_UP with the other representation of its checksum."""

VECTORS = (
    *_both("a bare ACK"),
    *_both("an even payload", payload=b"GET / HTTP/1.0\r\n\r\n", flags=ACK | PSH),
    *_both("an odd payload", payload=b"odd", flags=ACK | PSH),
    *_both("a large payload", payload=bytes(range(256)) * 5 + b"x" * 180),
    *_both("CWR, ECE, URG and the urgent pointer stay", flags=ACK | URG | ECE | CWR, urgent=0xBEEF, payload=b"!"),
    *_both("reserved bits stay", reserved=0xF),
    *_both("DSCP and ECN stay", tos=0xBB),
    *_both("DF clear and the identification stay", fragment=0, identification=0xFFFF),
    *_both("the reserved flag of IPv4 is no fragment", fragment=0x8000),
    *_both("window 0", window=0),
    *_both("a FIN", flags=ACK | FIN),
    *_both("link padding stays", padding=bytes(6)),
    *_both("link padding that is not zero stays", padding=b"\xde\xad\xbe\xef\x01"),
    *_both("a TCP checksum that is off by one stays so", tcp_error=1),
    *_both("a TCP checksum that is off by 0x8000 stays so", tcp_error=0x8000, payload=b"corrupt"),
    *_both("an IPv4 checksum that is off by one stays so", ip_error=1),
    *_both("both checksums are wrong", ip_error=0xFFFE, tcp_error=0x1234, payload=b"both"),
    to_server("the TCP checksum that arrives is 0", _ZERO_UP, replace(UP_LEFT, window=_ZERO_IN)),
    replace(
        to_server("the TCP checksum that arrives is 0xFFFF", _ZERO_UP, replace(UP_LEFT, window=_ZERO_IN)),
        stimulus=Arrival(CLIENT_PORT, _NEGATIVE_ZERO),
    ),
    to_server("the TCP checksum that leaves is 0", replace(UP, window=_ZERO_OUT), replace(UP_LEFT, window=_ZERO_OUT)),
    to_server("TTL 255", replace(UP, ttl=255), replace(UP_LEFT, ttl=254)),
    to_client("TTL 2 leaves as 1", replace(DOWN, ttl=2), replace(DOWN_LEFT, ttl=1)),
    to_server(
        "without the ACK flag the ACK number stays",
        replace(UP, flags=PSH, payload=b"data"),
        replace(UP_LEFT, flags=PSH, payload=b"data", acknowledgment=2000),
    ),
    to_client(
        "without the ACK flag SEQ is translated",
        replace(DOWN, flags=0, acknowledgment=0),
        replace(DOWN_LEFT, flags=0, acknowledgment=0),
    ),
    _delta(0, 2000, 2000),
    _delta(1, 0, _LARGEST),
    _delta(_LARGEST, _LARGEST, 0),
    _delta(_LARGEST, 0, 1),
    _delta(0x8000_0000, 0x7FFF_FFFF, _LARGEST),
    _delta(0x0001_0000, 0x0000_FFFF, 0xFFFF_FFFF),
    _delta(0x0000_0001, 0x0001_0000, 0x0000_FFFF),
    _sequence(0, 1000, 1000),
    _sequence(1, _LARGEST, 0),
    _sequence(_LARGEST, 0, _LARGEST),
    _sequence(0x8000_0000, 0x8000_0000, 0),
    _sequence(0x0000_FFFF, 0x0000_0001, 0x0001_0000),
    to_server("SNAT", _SNAT_UP, _SNAT_UP_LEFT, SNATTED),
    to_client("SNAT", _SNAT_DOWN, _SNAT_DOWN_LEFT, SNATTED),
    to_client(
        "the server's address through another splice's client port",
        replace(DOWN, destination=CLIENT, sequence=_LARGEST, acknowledgment=_LARGEST),
        replace(DOWN_LEFT, destination=CLIENT, sequence=DELTA - 1, acknowledgment=_LARGEST),
    ),
)
