"""What a fast path knows of its splices and the splicing engine has to ask for."""

from __future__ import annotations

from typing import Protocol

from fastpath.interface import Admitted
from fastpath.records import Direction, Flow, Followed, Tuple4

SILENT_FOR = 0.5
"""Seconds without a packet of a server's, after which its FIN does not belong to a response any more."""


class Activity(Protocol):
    """When packets have passed, how far precedents have led, and whom the fast path has let in; a FastPath is one."""

    def last_seen(self, flow: Flow, direction: Direction) -> float | None:
        """When a packet of the splice was last sent on in this direction; None where that is not known."""

    def followed(self, flow: Flow) -> Followed | None:
        """How far precedents have moved the pivot of the splice; None if they have not."""

    def hand_over(self, match: Tuple4) -> Admitted | None:
        """The connection with packets of this 4-tuple that the fast path has opened; the slow path's from now on."""


class _Unknown:
    """Of a target that keeps no such times, and follows no precedents."""

    def last_seen(self, flow: Flow, direction: Direction) -> float | None:
        """See Activity."""
        return None

    def followed(self, flow: Flow) -> Followed | None:
        """See Activity."""
        return None

    def hand_over(self, match: Tuple4) -> Admitted | None:
        """See Activity."""
        return None


UNKNOWN: Activity = _Unknown()
