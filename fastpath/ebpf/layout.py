"""The C structs of records.h as bytes: the only place where they and the records of the contract meet.

Addresses and ports are in network byte order, IPv4 addresses v4-mapped; other numbers are in the host's.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from fastpath.ebpf.hashing import SECRETS
from fastpath.records import ADMISSION_HEADS, MAX_TURNS, Admission, Direction, Listener, Offer, Splice, Traffic
from slowpath.wire import ip
from slowpath.wire.endpoint import Endpoint

CLOSING_FINS = 1 << Direction.TO_SERVER | 1 << Direction.TO_CLIENT
RESET_BITS = {direction: 4 << direction for direction in Direction}
CLOSING_RESET = sum(RESET_BITS.values())
"""Bits of `splice.closing`, and the causes that events carry."""
FOLLOWED: Final = 64
"""Another bit of `splice.closing`."""

RECORD_BYTES: Final = 104
RECORD_WORDS: Final = 26
"""The size of a struct splice."""
PATH: Final = 9
DELTA: Final = 10
TIMESTAMP_DELTA: Final = 11
PIVOT: Final = 12
FLAGS: Final = 13
GENERATION: Final = 14
CLOSING: Final = 15
LAST_SEEN: Final = 16
REQUEST_START: Final = 18
RESPONSE_START: Final = 19
"""Where its words are."""
PACKETS: Final = 20
PAYLOAD: Final = 11
"""Where the counts of both directions begin: in words, and in double words."""
HAS_PIVOT: Final = 1
WITHDRAWN: Final = 2
FOLLOWS_PRECEDENTS: Final = 4
"""In `splice.flags`."""
ADMITTED, ASKING, GONE, BLANK = 8, 16, 128, 256
"""There, too, of the records that the program has; above them the cookie's lead and the admission's label."""
DECIDED_FLAGS: Final = HAS_PIVOT | FOLLOWS_PRECEDENTS
"""What stays of `splice.flags` when user space takes the splice over."""
_LEAD_SHIFT, _LEAD_MASK, _LABEL_SHIFT = 9, 0x7FF, 20
TICK_SHIFT: Final = 20
"""Ticks are 2^20 nanoseconds."""

PUNTS, DROPS, SYNS_ANSWERED, HANDSHAKES, EVENTS_LOST = 0, 16, 32, 33, 34
"""enum counter; reasons and drops count from their base on."""

MAX_PORTS: Final = 256
MAX_LISTENERS: Final = 65536
MAX_PATHS: Final = 65536
MAX_ACCESS_RULES: Final = 262144
MAX_PRECEDENTS: Final = 16384
MAX_ADMISSIONS: Final = 4096

_NO_SCALE: Final = 15
_V4_LENGTH: Final = ip.IPV4.address_length
_MAPPED: Final = ip.mapped(bytes(_V4_LENGTH))[:-_V4_LENGTH]
_MAPPED_LENGTH: Final = 12
MASK: Final = 0xFFFF_FFFF

_NUMBER: Final = struct.Struct("=I")
_KEY = struct.Struct("=QQ")
_HALVES = struct.Struct("<QQ")
_TUPLE = struct.Struct("!16s16sHH")
_ENDPOINT = struct.Struct("!16sHxx")
_ENDS: Final = struct.Struct("!16s16sHH")
_DECIDED: Final = struct.Struct("=9I32x")
_PATH = struct.Struct("!16s16sHH")
_SERVER_ID = struct.Struct("=Hxx")
_OFFER = struct.Struct("=HHBBBBB3xI")
_ACCESS_KEY = struct.Struct("=II16s")
_LIST_BITS = 32
_NEW: Final = tuple.__new__
_EVENT = struct.Struct("=III")
_SETTINGS = struct.Struct(f"={SECRETS}Q16sIIIxxxx")
_PRECEDENT_KEY = struct.Struct("=QIxxxx")
_PRECEDENT = struct.Struct("=QIxxxx")
_IPV4_TUPLE = struct.Struct("!4s4sHH")
_ADMISSION_KEY = struct.Struct("=Q4s2sxx")
_ADMISSION = struct.Struct(f"=QIIII{MAX_TURNS}III{ADMISSION_HEADS.stop + 3}s")
_NEXT_TURN_OFFSET = 16
_SLOT_RECORD = 0xFF_FFFF
_RESTING = struct.Struct("=II")
_COUNT = struct.Struct("=Q")
_TRAFFIC = struct.Struct("=QQ")


class Event(NamedTuple):
    """What the ring buffer carries; `cause` is CLOSING_FINS or one of RESET_BITS."""

    record: int
    generation: int
    cause: int


def number(value: int) -> bytes:
    """A __u32 in host byte order."""
    return _NUMBER.pack(value)


def instant(nanoseconds: int) -> bytes:
    """A __u64 of CLOCK_MONOTONIC in nanoseconds."""
    return _COUNT.pack(nanoseconds)


def mapped(address: bytes) -> bytes:
    """A struct address of a packed address: as `ip.mapped`, which is not compiled."""
    return _MAPPED + address if len(address) == _V4_LENGTH else address


def unmapped(address: bytes) -> bytes:
    """The packed address of a struct address."""
    return address[_MAPPED_LENGTH:] if address[:_MAPPED_LENGTH] == _MAPPED else address


def tuple4(value: tuple[Endpoint, Endpoint]) -> bytes:
    """A struct tuple."""
    (source, source_port), (destination, destination_port) = value
    return _TUPLE.pack(mapped(source), mapped(destination), source_port, destination_port)


def ipv4_tuple(source: Endpoint, destination: Endpoint) -> bytes:
    """A struct ipv4_tuple."""
    return _IPV4_TUPLE.pack(source.address, destination.address, source.port, destination.port)


def endpoint(value: Endpoint) -> bytes:
    """A struct endpoint."""
    return _ENDPOINT.pack(mapped(value.address), value.port)


def settings(secrets: Sequence[int], head_key: bytes, buckets: int, cpu_ifindex: int, crowd: int) -> bytes:
    """The read-only settings of the program; `head_key` is the SipHash key that heads are hashed with.

    Where more than `crowd` connections have ended that it has let in, it uses their records again sooner.
    """
    return _SETTINGS.pack(*secrets, cookie_key(head_key), buckets, cpu_ifindex, crowd)


def record(splice: Splice, path: int, generation: int, tick: int) -> bytes:
    """A struct splice that no packet has passed yet; raises struct.error for a number out of range."""
    client, source, pivot = splice.flow.client, splice.source, splice.pivot
    ends = _ENDS.pack(mapped(client.address), mapped(source.address), client.port, source.port)
    return ends + _DECIDED.pack(
        path, splice.delta, splice.timestamp_delta, pivot or 0, flags(splice), generation, 0, tick, tick
    )


def flags(splice: Splice) -> int:
    """`splice.flags` of a splice that is not about to go."""
    return (HAS_PIVOT if splice.pivot is not None else 0) | (FOLLOWS_PRECEDENTS if splice.follows_precedents else 0)


def precedent_key(head_hash: bytes, path: int) -> bytes:
    """A struct precedent_key; a SipHash has its number's bytes in little-endian order."""
    return _PRECEDENT_KEY.pack(int.from_bytes(head_hash, "little"), path)


def path_of(key: bytes) -> int:
    """The number of the path in a struct precedent_key."""
    path: int = _PRECEDENT_KEY.unpack(key)[1]
    return path


def precedent(until: int, label: int) -> bytes:
    """A struct precedent; `until` in nanoseconds of CLOCK_MONOTONIC."""
    return _PRECEDENT.pack(until, label)


def admission_key(head_hash: bytes, vip: Endpoint) -> bytes:
    """A struct admission_key; `vip` has an IPv4 address."""
    return _ADMISSION_KEY.pack(int.from_bytes(head_hash, "little"), vip.address, vip.port.to_bytes(2, "big"))


def admission(value: Admission, until: int, paths: Sequence[int], turn: int) -> bytes:
    """A struct admission with its `paths`, 1..MAX_TURNS of them; `until` in nanoseconds, `turn` 0..2^32-1."""
    head, padded = value.head, (*paths, *(0,) * (MAX_TURNS - len(paths)))
    return _ADMISSION.pack(
        until, value.label, value.routed, turn, len(paths), *padded, len(head), _word_sum(head), head
    )


def turn(value: bytes) -> int:
    """Whose turn it is in a struct admission: what it has counted to."""
    return int(_NUMBER.unpack_from(value, _NEXT_TURN_OFFSET)[0])


def _word_sum(data: bytes) -> int:
    """The sum of up to 2^16 words of 16 bits, as they are in memory: a one's complement sum that is not folded yet."""
    words: tuple[int, ...] = struct.unpack(f"={(len(data) + 1) // 2}H", data + bytes(len(data) % 2))
    return sum(words)


def resting(number: int, since: int) -> bytes:
    """A struct resting; `since` in ticks."""
    return _RESTING.pack(number, since)


def slot_record(value: bytes) -> int:
    """The number of the record that a slot in l7lb_admitted stands for."""
    return int(_NUMBER.unpack(value)[0]) & _SLOT_RECORD


def lead(flags: int) -> int:
    """What the client's cookie began with, of a connection that the program has let in."""
    return flags >> _LEAD_SHIFT & _LEAD_MASK


def label(flags: int) -> int:
    """The label of its admission."""
    return flags >> _LABEL_SHIFT


def has_ended(closing: int) -> bool:
    """Whether a splice with this closing state carries nothing more but what comes late."""
    return closing & CLOSING_FINS == CLOSING_FINS or bool(closing & CLOSING_RESET)


def ends(records: memoryview[int], number: int) -> tuple[bytes, bytes, int, int]:
    """The client's and the source's address, of 16 bytes, and port in a record."""
    return _ENDS.unpack_from(records, number * RECORD_BYTES)


def path(vip: Endpoint, server: Endpoint, server_id: int) -> bytes:
    """A struct path; raises struct.error for a number out of range."""
    return _PATH.pack(mapped(vip.address), mapped(server.address), vip.port, server.port) + _SERVER_ID.pack(server_id)


def tick(nanoseconds: int) -> int:
    """An instant as records have it."""
    return nanoseconds >> TICK_SHIFT & MASK


def age(seen: int, now: int) -> int:
    """Ticks since `seen`, at `now` in nanoseconds; 0 if that is the later one. Good for 26 days."""
    ticks = tick(now) - seen & MASK
    return ticks if ticks <= MASK >> 1 else 0


def event(data: bytes) -> Event:
    """Read a struct event."""
    return _NEW(Event, _EVENT.unpack(data))


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
