"""One connection whose two sides are joined: all that the slow path keeps of it, as there may be a million."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastpath.closing import Closing
from fastpath.frame import Punt
from fastpath.records import Flow, Splice, Tuple4
from slowpath.balancing.member import Member
from slowpath.splicing.phases import TRANSITIONS, Event, Phase
from slowpath.splicing.service import Pool, Service
from slowpath.wire.tcp import Segment


@dataclass(slots=True, eq=False, weakref_slot=True)
class Junction:
    """What outlives a `Session`; `started` and `deadline` are seconds of the monotonic clock."""

    splice: Splice
    service: Service
    pool: Pool
    member: Member | None
    """The server, until the connection is over."""
    started: float
    confirmation: Segment
    """The ACK that completes the server's handshake, should it be lost."""
    cached: list[Punt] = field(default_factory=list)
    """Packets that wait for the install."""
    phase: Phase = Phase.JOINING
    closing: Closing | None = None
    """Watches for the end of a connection that is forwarded here, and is None for the others."""
    deadline: float | None = None
    """When it is forgotten: after lingering, or after a silence if it is forwarded here."""
    scheduled: float | None = None
    """The earliest entry the engine's timer queue has for it."""

    def move(self, event: Event) -> None:
        """Go to the next phase; KeyError for an event that the phase does not know, which is a defect."""
        self.phase = TRANSITIONS[self.phase, event]

    @property
    def flow(self) -> Flow:
        """The client's side."""
        return self.splice.flow

    @property
    def reply_key(self) -> Tuple4:
        """The 4-tuple of packets from the server."""
        return Tuple4(self.splice.server, self.splice.source)

    @property
    def next_deadline(self) -> float | None:
        """When there is something to do."""
        return self.deadline
