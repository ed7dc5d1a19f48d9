"""What the splicing engine wants done after a batch; the driver does it in the order of the fields."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastpath.frame import Punt
from fastpath.records import Admission, Flow, Precedent
from slowpath.splicing.accounting import Settlement
from slowpath.splicing.junction import Junction


@dataclass(slots=True)
class Outcome:
    """Work for the fast path, collected over a batch."""

    revoke: bool = False
    """No precedent that the fast path has been told of holds any more."""
    ended: list[Settlement] = field(default_factory=list)
    """Logged connections whose splices have yet to be asked what they carried; hand them to `Splicer.settle`."""
    remove: list[Flow] = field(default_factory=list)
    """Records to remove, before anything is sent: a new connection may reuse the client's port."""
    update: list[Junction] = field(default_factory=list)
    """Junctions whose splice has another pivot. One that stays where it was only has more packets punted."""
    precedents: list[Precedent] = field(default_factory=list)
    """What the fast path may decide by itself from now on, of the next requests of connections"""
    admissions: list[Admission] = field(default_factory=list)
    """and of new ones."""
    passing: list[tuple[Junction, Punt]] = field(default_factory=list)
    """Punted packets that go on, translated by whoever has the connection by the end of the batch."""
    frames: list[bytes] = field(default_factory=list)
    """Frames to inject that depend on no install."""
    withdraw: list[Flow] = field(default_factory=list)
    """Records to remove whose connections go on in the slow path."""
    farewells: list[bytes] = field(default_factory=list)
    """Frames to inject after that: what they are answered with is for the slow path."""
    install: list[Junction] = field(default_factory=list)
    """Junctions whose splice is to be installed; hand them to `Splicer.installed` or `Splicer.refused`."""

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(
            self.frames
            or self.update
            or self.install
            or self.remove
            or self.ended
            or self.passing
            or self.withdraw
            or self.farewells
            or self.precedents
            or self.admissions
            or self.revoke
        )


NOTHING_TO_DO = Outcome()
