"""What a target that learns nothing says to what it is told: every request and connection is the slow path's."""

from __future__ import annotations

from collections.abc import Sequence

from fastpath.interface import Admitted
from fastpath.records import Admission, Flow, Followed, Precedent, Tuple4


class Unlearning:
    """The part of a FastPath without precedents and admissions."""

    async def set_precedents(self, precedents: Sequence[Precedent]) -> None:
        """Ignored."""

    async def set_admissions(self, admissions: Sequence[Admission]) -> None:
        """Ignored."""

    async def revoke_precedents(self) -> None:
        """There are none."""

    def hand_over(self, match: Tuple4) -> Admitted | None:
        """None: no connection is let in."""
        return None

    def followed(self, flow: Flow) -> Followed | None:
        """None: no splice follows precedents."""
        return None
