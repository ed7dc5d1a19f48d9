"""One client connection in the slow path, from its first data to its join, or to the end of our own answer."""

from __future__ import annotations

from dataclasses import dataclass

from fastpath.frame import Punt
from fastpath.records import Flow
from slowpath.balancing.member import Member
from slowpath.limiting.slots import Slot
from slowpath.request import Request
from slowpath.splicing.accounting import Account
from slowpath.splicing.openings import Opening
from slowpath.splicing.phases import TRANSITIONS, Event, Phase
from slowpath.splicing.pivots import Course
from slowpath.splicing.service import Pool, Service
from slowpath.tcp.connection import Connection
from slowpath.tcp.cookie import Agreed
from slowpath.wire import four_tuple, tcp
from slowpath.wire import sequence as seq
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.tcp import Segment

CACHE_LIMIT = 65536
"""Bytes of punted packets that a session keeps; more than that the client sends again."""


@dataclass(slots=True, eq=False, init=False)
class Session:
    """What the slow path needs while it talks to client or server; times are seconds of the monotonic clock."""

    flow: Flow
    key: bytes
    """The 4-tuple of packets from the client."""
    reply_key: bytes | None
    """That of packets from the current server, if there is one."""
    service: Service
    agreed: Agreed
    client: Connection
    opening: Opening
    started: float
    first: Segment
    """The client's first data segment: its window and TSval go into the SYN toward the server."""
    phase: Phase
    deadline: float | None
    """When the phase times out."""
    scheduled: float | None
    """The earliest entry the engine's timer queue has for this session."""

    received: bytearray
    """The client's bytes in order, kept while they may become ours to deliver."""
    owned: int
    """How many of them we have acknowledged."""
    segments: int
    """Segments since the last acknowledgment."""
    acknowledge_at: float | None
    """When a client that is silent gets an ACK, and a greeting if it waits for one."""

    cached: dict[tuple[int, int], Punt]
    """Punted client packets by their first sequence number and the one after, to inject once the splice is there."""
    cached_bytes: int
    cached_replies: dict[tuple[int, int], Punt]
    """Punted server packets, likewise."""

    request: Request | None
    """What was asked for, once it has been read."""
    course: Course
    """What follows it."""
    resumed: bool
    """Whether other requests of the connection came before."""
    preamble: bytes
    """What the server gets before the client's first byte."""
    edited: bytes | None
    """What the server gets in the place of the request's bytes, which have been acknowledged then."""
    pool: Pool | None
    member: Member | None
    tried: set[int]
    failure: int
    """The status code that fits the last failed connect."""
    source: Endpoint | None
    server: Connection | None
    connect_started: float
    slot: Slot | None
    """The client's place among the connections it may have open, if that is limited."""
    account: Account | None
    """For the access log, if the connection is logged."""

    def __init__(
        self,
        flow: Flow,
        service: Service,
        agreed: Agreed,
        client: Connection,
        opening: Opening,
        started: float,
        first: Segment,
    ) -> None:
        # Written out, as is Segment's: a compiled class has a fast one only so.
        self.flow = flow
        self.key = four_tuple.pack(flow[0], flow[1])
        self.reply_key = None
        self.service = service
        self.agreed = agreed
        self.client = client
        self.opening = opening
        self.started = started
        self.first = first
        self.phase = Phase.READING
        self.deadline = None
        self.scheduled = None
        self.received = bytearray()
        self.owned = 0
        self.segments = 0
        self.acknowledge_at = None
        self.cached = {}
        self.cached_bytes = 0
        self.cached_replies = {}
        self.request = None
        self.course = Course.NOTHING
        self.resumed = False
        self.preamble = b""
        self.edited = None
        self.pool = None
        self.member = None
        self.tried = set()
        self.failure = 503
        self.source = None
        self.server = None
        self.connect_started = 0.0
        self.slot = None
        self.account = None

    def move(self, event: Event) -> None:
        """Go to the next phase; KeyError for an event that the phase does not know, which is a defect."""
        self.phase = TRANSITIONS[self.phase, event]

    @property
    def client_isn(self) -> int:
        """The client's initial sequence number."""
        return self.client.parameters.irs

    @property
    def delivery(self) -> bytes:
        """What is ours to deliver to the server: what it gets besides the client's bytes, and those we acknowledged."""
        if not self.owned:
            return self.preamble
        owned = bytes(self.received[: self.owned])
        if self.edited is not None:
            assert self.request is not None and self.request.length <= self.owned
            owned = self.edited + owned[self.request.length :]
        return self.preamble + owned

    @property
    def inserted(self) -> int:
        """By how many bytes the server's stream is longer than the client's; below 0 if it is shorter."""
        return len(self.delivery) - self.owned

    @property
    def next_deadline(self) -> float | None:
        """The earliest of all timers of the session."""
        earliest = self.client.deadline
        server = self.server.deadline if self.server is not None else None
        for time in (self.deadline, self.acknowledge_at, server):
            if earliest is None or (time is not None and time < earliest):
                earliest = time
        return earliest

    def cache(self, punt: Punt, segment: Segment) -> None:
        """Keep a client packet for the server, if it has data or a FIN, is no copy, and there is room."""
        if self.resumed and seq.before(segment.acknowledgment, self.client.snd_una):
            return  # Its ACK is for an earlier server.
        self._keep(self.cached, punt, segment)

    def cache_reply(self, punt: Punt, segment: Segment) -> None:
        """Keep a server packet for the client, on the same terms."""
        self._keep(self.cached_replies, punt, segment)

    def forget_owned(self) -> None:
        """Let go of the packets that we have acknowledged: it is we who deliver their bytes."""
        owned = seq.add(self.client_isn, 1 + self.owned)
        self.cached = {span: punt for span, punt in self.cached.items() if seq.after(span[1], owned)}
        self.cached_bytes = sum(len(punt.raw) for punt in self.cached.values())

    def undelivered(self) -> list[Punt]:
        """The cached packets that the server still needs, in order of arrival, and the cached replies."""
        delivered = seq.add(self.client_isn, 1 + self.owned)
        requested = [punt for (_, end), punt in self.cached.items() if seq.after(end, delivered)]
        return [*requested, *self.cached_replies.values()] if self.cached_replies else requested

    def _keep(self, cached: dict[tuple[int, int], Punt], punt: Punt, segment: Segment) -> None:
        if segment.flags & tcp.SYN or not segment.length or self.cached_bytes + len(punt.raw) > CACHE_LIMIT:
            return
        span = (segment.sequence, seq.add(segment.sequence, segment.length))
        if span not in cached:
            cached[span] = punt
            self.cached_bytes += len(punt.raw)
