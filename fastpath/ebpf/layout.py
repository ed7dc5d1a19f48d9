"""The C structs of records.h as bytes: the only place where they and the records of the contract meet.

Addresses and ports are in network byte order, IPv4 addresses v4-mapped; other numbers are in the host's.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from fastpath.records import Direction, Flow, Listener, Offer, Splice, Traffic, Translation, Tuple4, Volume
from slowpath.wire import ip
from slowpath.wire.endpoint import Endpoint

CLOSING_FINS = 1 << Direction.TO_SERVER | 1 << Direction.TO_CLIENT
RESET_BITS = {direction: 4 << direction for direction in Direction}
CLOSING_RESET = sum(RESET_BITS.values())
"""Bits of `translation.closing`, and the causes that events carry."""

PUNTS, DROPS, SYNS_ANSWERED, HANDSHAKES, EVENTS_LOST = 0, 16, 32, 33, 34
"""enum counter; reasons and drops count from their base on."""

MAX_PORTS, MAX_LISTENERS, MAX_ACCESS_RULES = 256, 65536, 262144

_NO_SCALE = 15
_MASK = 0xFFFF_FFFF

_NUMBER = struct.Struct("=I")
_KEY = struct.Struct("=QQ")
_HALVES = struct.Struct("<QQ")
_TUPLE = struct.Struct("!16s16sHH")
_ENDPOINT = struct.Struct("!16sHxx")
_TRANSLATION = struct.Struct("=36sHBBIIIIIIQQIIQ")
_PIVOT, _NOTED = 56, 64
_STATE = struct.Struct("=38xB21xIQ8xI12x")
_VOLUME = struct.Struct("=84xIQ")
_OFFER = struct.Struct("=HHBBBBB3xI")
_ACCESS_KEY = struct.Struct("=II16s")
_LIST_BITS = 32
_EVENT = struct.Struct("=36sII")
_COUNT = struct.Struct("=Q")
_TRAFFIC = struct.Struct("=QQ")


class State(NamedTuple):
    """What an entry of l7lb_flows says of its splice's life; `last_seen` is CLOCK_MONOTONIC in nanoseconds."""

    direction: int
    generation: int
    last_seen: int
    closing: int


class Event(NamedTuple):
    """What the ring buffer carries; `cause` is CLOSING_FINS or one of RESET_BITS."""

    flow: Flow
    generation: int
    cause: int


def number(value: int) -> bytes:
    """A __u32 in host byte order."""
    return _NUMBER.pack(value)


def instant(nanoseconds: int) -> bytes:
    """A __u64 of CLOCK_MONOTONIC in nanoseconds."""
    return _COUNT.pack(nanoseconds)


def mapped(address: bytes) -> bytes:
    """A struct address of a packed address."""
    return ip.mapped(address)


def tuple4(value: tuple[Endpoint, Endpoint]) -> bytes:
    """A struct tuple: the key of l7lb_flows."""
    (source, source_port), (destination, destination_port) = value
    return _TUPLE.pack(mapped(source), mapped(destination), source_port, destination_port)


def endpoint(value: Endpoint) -> bytes:
    """A struct endpoint."""
    return _ENDPOINT.pack(mapped(value.address), value.port)


def translation(value: Translation, splice: Splice, generation: int, now: int) -> bytes:
    """A struct translation of a splice that no packet has passed yet; `now` in nanoseconds."""
    pivot = (splice.pivot or 0) if value.direction is Direction.TO_SERVER else 0
    return _TRANSLATION.pack(
        tuple4(value.becomes),
        splice.server_id,
        value.direction,
        splice.pivot is not None,
        value.sequence,
        value.acknowledgment,
        value.tsval,
        value.tsecr,
        pivot,
        generation,
        now,
        0,
        0,
        0,
        0,
    )


def with_pivot(value: bytes, pivot: int) -> bytes:
    """The struct translation `value` with its pivot at another place."""
    return value[:_PIVOT] + _NUMBER.pack(pivot) + value[_PIVOT + _NUMBER.size :]


def with_state(value: bytes, earlier: bytes) -> bytes:
    """The struct translation `value` with what the program has noted in `earlier`: last_seen, fin, closing, counts."""
    return value[:_NOTED] + earlier[_NOTED:]


def splice(key: bytes, value: bytes) -> Splice | None:
    """The splice of an entry toward the server; None for one toward the client."""
    becomes, server_id, direction, has_pivot, _, acknowledgment, _, tsecr, pivot, *_ = _TRANSLATION.unpack(value)
    if direction != Direction.TO_SERVER:
        return None
    source, server = _endpoints(becomes)
    return Splice(
        Flow(*_endpoints(key)),
        server,
        server_id,
        source,
        delta=-acknowledgment & _MASK,
        timestamp_delta=-tsecr & _MASK,
        pivot=pivot if has_pivot else None,
    )


def states(values: bytes) -> Iterator[State]:
    """The states of translations that stand one after the other."""
    return map(State._make, _STATE.iter_unpack(values))


def volume(value: bytes) -> Volume:
    """What the direction of a struct translation has carried."""
    return Volume._make(_VOLUME.unpack(value))


def flow(keys: bytes, index: int) -> Flow:
    """The flow of the key toward the server that is the `index`th of keys that stand one after the other."""
    return Flow(*_endpoints(keys[index * _TUPLE.size : (index + 1) * _TUPLE.size]))


def event(data: bytes) -> Event:
    """Read a struct event."""
    flow, generation, cause = _EVENT.unpack(data)
    return Event(Flow(*_endpoints(flow)), generation, cause)


def offer(listener: Listener, access: int = 0) -> bytes:
    """A struct offer; an MSS of 0 leaves SYNs to the slow path. `access` is the number of its list."""
    value = listener.offer or Offer(mss=0)
    scale = _NO_SCALE if value.window_scale is None else value.window_scale
    first = listener.client_first
    return _OFFER.pack(value.mss, value.window, scale, value.sack, value.timestamps, value.ecn, first, access)


def access_key(number: int, network: bytes, length: int) -> bytes:
    """A struct access_key: a prefix of 16 bytes and `length` bits in the list `number`."""
    return _ACCESS_KEY.pack(_LIST_BITS + length, number, network)


def flag(value: bool) -> bytes:
    """A __u8 that is 0 or 1."""
    return bytes((value,))


def cookie_key(key: bytes) -> bytes:
    """A struct cookie_key of the 16 bytes of a SipHash key."""
    return _KEY.pack(*_HALVES.unpack(key))


def total(per_cpu: bytes) -> int:
    """The sum of a per-CPU counter."""
    return sum(count for (count,) in _COUNT.iter_unpack(per_cpu))


def traffic(per_cpu: bytes) -> Traffic:
    """The sum of a per-CPU struct traffic."""
    packets, length = map(sum, zip(*_TRAFFIC.iter_unpack(per_cpu), strict=True))
    return Traffic(packets, length)


def _endpoints(data: bytes) -> Tuple4:
    source, destination, source_port, destination_port = _TUPLE.unpack(data)
    return Tuple4(Endpoint(ip.unmapped(source), source_port), Endpoint(ip.unmapped(destination), destination_port))
