"""One connection whose two sides are joined: all that the slow path keeps of it, as there may be a million."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from fastpath.closing import Closing
from fastpath.frame import Punt
from fastpath.records import Flow, Splice
from slowpath.balancing.member import Member
from slowpath.limiting.slots import Slot
from slowpath.splicing.accounting import Account
from slowpath.splicing.phases import TRANSITIONS, Event, Phase
from slowpath.splicing.service import Pool, Service
from slowpath.splicing.terms import DEFAULT_TERMS, Terms
from slowpath.wire import four_tuple
from slowpath.wire import sequence as seq
from slowpath.wire.tcp import Segment


@dataclass(slots=True)
class Held:
    """Packets that wait for the install, some of them perhaps with bytes of the next request."""

    packets: list[Punt]
    deadline: float | None = None


class Errand(Protocol):
    """What a junction has to do in the slow path: read a request, leave a server, or wait for its answer."""

    @property
    def deadline(self) -> float | None:
        """When there is something to do about it."""


@dataclass(slots=True, eq=False, init=False)
class Junction:
    """What outlives a `Session`; times are seconds of the monotonic clock."""

    splice: Splice
    key: bytes
    """The 4-tuple of packets from the client."""
    reply_key: bytes
    """That of packets from the server."""
    service: Service
    pool: Pool
    member: Member | None
    """The server, until the connection is over."""
    started: float
    cached: list[Punt]
    """Packets that wait for the install."""
    phase: Phase
    closing: Closing | None
    """Watches for the end of a connection that is forwarded here, and is None for the others."""
    connect_started: float
    """When the SYN left for the server, which is not the client's first one perhaps."""
    deadline: float | None
    """When it is forgotten: after lingering, or after a silence if it is forwarded here."""
    scheduled: float | None
    """The earliest entry the engine's timer queue has for it."""
    touched: float
    """When something last came for it."""
    slot: Slot | None
    """The client's place among the connections it may have open, if that is limited."""
    account: Account | None
    """For the access log, if the connection is logged."""
    server_start: int | None
    """The server's SEQ behind its SYN, in its own numbers, in case that it repeats that; None where nobody knows it."""
    terms: Terms
    """What was agreed with the client, where it may have to be agreed with another server."""
    request_start: int
    """The client's SEQ at which the earliest request starts that may not be answered yet."""
    response_start: int
    """The SEQ, toward the client, at which the answer to it starts."""
    asked: tuple[str, ...]
    """The methods of that request and those after it."""
    turn: Errand | None
    """What is going on about the next request, if anything is."""

    def __init__(
        self,
        splice: Splice,
        service: Service,
        pool: Pool,
        member: Member | None,
        started: float,
        cached: Iterable[Punt] = (),
        *,
        key: bytes = b"",
        reply_key: bytes = b"",
        phase: Phase = Phase.JOINING,
        connect_started: float = 0.0,
        slot: Slot | None = None,
        account: Account | None = None,
        server_start: int | None = None,
        terms: Terms = DEFAULT_TERMS,
        request_start: int = 0,
        response_start: int = 0,
        asked: tuple[str, ...] = (),
    ) -> None:
        """The keys are given where somebody has them already: that is one object less of each."""
        # Written out, as is Segment's: a compiled class has a fast one only so.
        self.splice = splice
        self.key = key or four_tuple.pack(splice.flow[0], splice.flow[1])
        self.reply_key = reply_key or four_tuple.pack(splice.server, splice.source)
        self.service = service
        self.pool = pool
        self.member = member
        self.started = started
        self.cached = list(cached)
        self.phase = phase
        self.closing = None
        self.connect_started = connect_started
        self.deadline = None
        self.scheduled = None
        self.touched = 0.0
        self.slot = slot
        self.account = account
        self.server_start = server_start
        self.terms = terms
        self.request_start = request_start
        self.response_start = response_start
        self.asked = asked
        self.turn = None

    def move(self, event: Event) -> None:
        """Go to the next phase; KeyError for an event that the phase does not know, which is a defect."""
        self.phase = TRANSITIONS[self.phase, event]

    def asks(self, segment: Segment) -> bool:
        """Whether a packet has bytes of the client's next request, whatever it was punted for."""
        pivot = self.splice.pivot
        if pivot is None or not segment.payload or segment.source != self.splice.flow.client:
            return False
        return seq.after(seq.add(segment.sequence, len(segment.payload)), pivot)

    @property
    def flow(self) -> Flow:
        """The client's side."""
        return self.splice.flow

    @property
    def is_idle(self) -> bool:
        """Whether the fast path forwards, and nothing is going on here."""
        return self.phase is Phase.SPLICED and self.turn is None and self.deadline is None and not self.cached

    @property
    def next_deadline(self) -> float | None:
        """When there is something to do."""
        errand = self.turn.deadline if self.turn is not None else None
        return errand if self.deadline is None or (errand is not None and errand < self.deadline) else self.deadline
