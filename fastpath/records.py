"""The records that the slow path hands to a fast path: splices, what they translate, and the tables around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import NamedTuple

from fastpath.access import Access
from slowpath.wire.endpoint import Endpoint


class Flow(NamedTuple):
    """A client's connection to a VIP; names a splice for as long as it lives."""

    client: Endpoint
    vip: Endpoint

    def __str__(self) -> str:
        return f"{self.client} > {self.vip}"


class Direction(IntEnum):
    """Which way a packet goes through a splice."""

    TO_SERVER = 0
    TO_CLIENT = 1


class Tuple4(NamedTuple):
    """The addresses and ports of a TCP packet, as it carries them."""

    source: Endpoint
    destination: Endpoint


@dataclass(frozen=True, slots=True)
class Translation:
    """What happens to the packets of one direction of a splice.

    Packets that carry `match` leave with `becomes`. Each delta is 0..2^32-1 and is added modulo 2^32.
    """

    direction: Direction
    match: Tuple4
    becomes: Tuple4
    sequence: int = 0
    """Added to SEQ."""
    acknowledgment: int = 0
    """Added to ACK when the ACK flag is set, and to every SACK edge."""
    tsval: int = 0
    """Added to TSval."""
    tsecr: int = 0
    """Added to TSecr when the ACK flag is set."""


@dataclass(slots=True, init=False, unsafe_hash=True)
class Splice:
    """Two TCP connections joined into one (design section 2). Nobody changes one.

    `delta` is D = (our ISN toward the client) - (the server's ISN); `timestamp_delta` is
    T = (the last TSval we sent to the client) - (TSval of the server's SYN-ACK), or 0 without
    timestamps; both 0..2^32-1. `source` is what the server sees as its client: the client itself
    in transparent mode, a SNAT address and port otherwise. `pivot` is the client SEQ at which the
    next request starts, None for never. `server_id` is a `Server.id`. Of a splice that
    `follows_precedents`, requests at the pivot pass that there is a Precedent for.
    """

    flow: Flow
    server: Endpoint
    server_id: int
    source: Endpoint
    delta: int
    timestamp_delta: int = 0
    pivot: int | None = None
    follows_precedents: bool = False

    def __init__(
        self,
        flow: Flow,
        server: Endpoint,
        server_id: int,
        source: Endpoint,
        delta: int,
        timestamp_delta: int = 0,
        pivot: int | None = None,
        follows_precedents: bool = False,
    ) -> None:
        # Written out, as a frozen dataclass sets each field by a call: there is a splice for every connection.
        self.flow = flow
        self.server = server
        self.server_id = server_id
        self.source = source
        self.delta = delta
        self.timestamp_delta = timestamp_delta
        self.pivot = pivot
        self.follows_precedents = follows_precedents

    def translations(self) -> tuple[Translation, Translation]:
        """The translation toward the server and the one toward the client."""
        client, vip = self.flow
        minus_d, minus_t = -self.delta & 0xFFFF_FFFF, -self.timestamp_delta & 0xFFFF_FFFF
        to_server = Translation(
            Direction.TO_SERVER,
            Tuple4(client, vip),
            Tuple4(self.source, self.server),
            acknowledgment=minus_d,
            tsecr=minus_t,
        )
        to_client = Translation(
            Direction.TO_CLIENT,
            Tuple4(self.server, self.source),
            Tuple4(vip, client),
            sequence=self.delta,
            tsval=self.timestamp_delta,
        )
        return to_server, to_client


@dataclass(frozen=True, slots=True)
class Precedent:
    """A decision that holds again: a packet with `head` as its payload, at the pivot, goes to the server that is there.

    `head` is a whole request without a body (1..HEAD_LIMIT bytes); `vip`, `server` and `server_id` are those of the
    splices it is about; `label` (0..LABELS-1) is what counts the requests that follow it; `until` is in seconds of the
    monotonic clock.
    """

    vip: Endpoint
    server: Endpoint
    server_id: int
    head: bytes
    label: int
    until: float


HEAD_LIMIT = 2048
"""Bytes of the longest head that a precedent can be about."""
LABELS = 4096
"""Labels of precedents and admissions are below this."""


@dataclass(frozen=True, slots=True)
class Admission:
    """New connections to `vip` are let in without being asked about, if `head` is all that their first segment has.

    The head is a whole request without a body, of ADMISSION_HEADS bytes; each connection goes, with the client's own
    address, to the next one of `servers` (1..MAX_TURNS of them, endpoint and `Server.id`, in turn). If `routed`, its
    next requests are decided on as well: its splice has its pivot behind the head, and follows precedents. `label`
    counts the connections; `until` is as in Precedent.
    """

    vip: Endpoint
    head: bytes
    servers: tuple[tuple[Endpoint, int], ...]
    routed: bool
    label: int
    until: float


ADMISSION_HEADS = range(8, 1461)
"""Bytes that the head of an admission may have."""
MAX_TURNS = 16
"""The most servers that an admission can name."""


class Followed(NamedTuple):
    """How far a splice has come that has followed precedents; client and server numbers are the client's."""

    pivot: int
    request_start: int | None
    """The SEQ of the last request that followed one; None after a FIN or a RST."""
    response_start: int | None
    """What the client acknowledged with it, likewise."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The TCP options that a SYN-ACK offers to a client, if the client's SYN asked for them (design section 2).

    `mss` is in bytes, `window` is the unscaled window of the SYN-ACK, `window_scale` a shift of
    0..14 or None for no scaling (RFC 7323), `ecn` as in RFC 3168 section 6.1.1.
    """

    mss: int = 536
    window: int = 65535
    window_scale: int | None = None
    sack: bool = False
    timestamps: bool = False
    ecn: bool = False


@dataclass(frozen=True, slots=True)
class SynCookies:
    """The secrets of SYN cookies: `keys[epoch & 1]` makes them now, the other key made the previous epoch's.

    Each key is the 16 bytes of a SipHash-2-4 key; see `slowpath.tcp.cookie` for the layout.
    """

    keys: tuple[bytes, bytes]
    epoch: int


@dataclass(frozen=True, slots=True)
class Listener:
    """A VIP and its port, with what SYN-ACKs offer there; None leaves every SYN to the slow path.

    `servers` are the ids of those that its connections may lead to, any if it is empty: a target that
    compresses its table keeps the connections of VIPs apart that share no server. Others ignore them.
    Where not `client_first`, the server may have the first word: a target that answers SYNs then leaves
    the ACK that completes the handshake to the slow path. `access` says whom the listener serves, None
    for everybody; it is the fast path's on a host, and the slow path's besides.
    """

    endpoint: Endpoint
    offer: Offer | None = Offer()
    servers: frozenset[int] = frozenset()
    client_first: bool = True
    access: Access | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """A server that splices may lead to; `id` (0..65535) is the index of its counters."""

    id: int
    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class Vxlan:
    """A tunnel (RFC 7348): what goes into it becomes the payload of an outer IPv4 packet.

    `source` and `destination` are the packed outer addresses, `vni` is 0..2^24-1, the MAC addresses
    are those of the inner Ethernet header.
    """

    source: bytes
    destination: bytes
    vni: int
    source_mac: bytes
    destination_mac: bytes


@dataclass(frozen=True, slots=True)
class NextHop:
    """A route: packets for `network` leave through `port` with these Ethernet addresses.

    `network` is (packed prefix, length in bits). With a `tunnel` the packets are encapsulated, and the
    Ethernet addresses are those of the outer header. `mtu` is the length of the longest IP packet that
    may leave, in bytes; None for any, as it always is on a switch. Targets on a host that routes (`ebpf`)
    take their routes from the kernel and ignore these.
    """

    network: tuple[bytes, int]
    port: int
    source_mac: bytes
    destination_mac: bytes
    tunnel: Vxlan | None = None
    mtu: int | None = None


class Pivot(Enum):
    """How precisely a target honours `Splice.pivot`."""

    EXACT = "exact"
    BIT = "bit"
    NONE = "none"

    __hash__ = object.__hash__
    """By identity: the one of Enum is not written in C, and a table is looked into by this for each request."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a fast path can do; `capacity` is the number of splices it can hold."""

    capacity: int
    timestamps: bool
    pivot: Pivot
    ipv6: bool
    snat: bool
    answers_syns: bool
    precedents: bool = False
    """Whether splices can follow precedents."""
    admissions: bool = False
    """Whether it can let connections in."""


class Reason(IntEnum):
    """Why a packet was punted (design section 4); the number is the one in the frame."""

    SYN = 1
    MISS = 2
    PIVOT = 3
    OPTIONS = 4
    FRAGMENT = 5
    TTL = 6
    ICMP = 7
    ARP = 8
    FIN = 9
    """On a host: a server's FIN, on a splice that has a pivot."""
    MTU = 10
    """On a host: a packet that is longer than its next hop takes; the frame says how much that is."""


class Drop(IntEnum):
    """Why a fast path dropped a packet."""

    TTL = 1
    """The TTL was 1 or less on arrival."""
    MALFORMED = 2
    """A TCP header of a listener or splice that is shorter than it claims."""
    NO_ROUTE = 3
    """No next hop for the destination."""
    STALE = 4
    """Injected for translation, but no splice matches (any more)."""
    FRAME = 5
    """A frame from the slow path with an unknown action, port or marker."""
    PUNT = 6
    """A packet for the slow path that could not be handed over."""
    INJECT = 7
    """A frame from the slow path that found no room."""
    ADDRESS = 8
    """On a switch: a frame for an Ethernet address that is not the port's."""
    DENIED = 9
    """On a host: a packet of no splice, from a client that the listener does not serve."""


@dataclass(slots=True)
class Traffic:
    """Packets as on the wire (a GSO super-packet counts as its segments) and their bytes from layer 3 on."""

    packets: int = 0
    bytes: int = 0


class Volume(NamedTuple):
    """What a splice has carried in one direction: packets as on the wire, and the bytes of TCP payload in them.

    A byte that was retransmitted counts each time. `packets` is modulo 2^32.
    """

    packets: int
    payload: int


@dataclass(slots=True)
class Counters:
    """A snapshot of a fast path's counters, all since it started."""

    servers: Mapping[int, tuple[Traffic, Traffic]] = field(default_factory=dict)
    """By `Server.id`; the pair is indexed by Direction."""
    punts: Mapping[Reason, int] = field(default_factory=dict)
    drops: Mapping[Drop, int] = field(default_factory=dict)
    syns_answered: int = 0
    """SYNs that the fast path answered itself."""
    handshakes: int = 0
    """ACKs that completed such a handshake and that the fast path took: far fewer than SYNs in a SYN flood."""
    events_lost: int = 0
    """Close reports that found no room; sweeps find those splices later."""
    followed: Mapping[int, int] = field(default_factory=dict)
    """Requests that followed a precedent, by its label."""
    admitted: Mapping[int, int] = field(default_factory=dict)
    """Connections that were let in and whose server has accepted, by the label of the admission."""
    collisions: int = 0
    """Splices whose digest a live one had already, so that they were kept by their full addresses and ports."""
    reachable: bool = True
    """Whether it takes new splices: False while the control plane of a switch is away."""
