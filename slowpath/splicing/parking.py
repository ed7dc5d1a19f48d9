"""A server that closes between two requests: its client is not told, and finds another server with its next one."""

from __future__ import annotations

from fastpath.records import Direction
from slowpath.splicing import leaving
from slowpath.splicing.activity import SILENT_FOR
from slowpath.splicing.context import Context
from slowpath.splicing.junction import Junction
from slowpath.splicing.phases import Phase
from slowpath.splicing.turning import Turn
from slowpath.wire import sequence as seq
from slowpath.wire.tcp import Segment

PARKED_LIMIT = 32_768
"""Sessions, parked ones among them, above which clients are told that their servers have closed."""


def is_idle(context: Context, junction: Junction, fin: Segment, now: float) -> bool:
    """Whether the server closes with `fin` while it owes the client nothing."""
    splice = junction.splice
    if junction.phase is not Phase.SPLICED or splice.pivot is None or context.sessions >= PARKED_LIMIT:
        return False
    if fin.payload or fin.source != splice.server:
        return False
    if _closed_before(junction, fin):
        return True
    if fin.acknowledgment != splice.pivot or _unanswered(junction, fin):
        return False
    seen = context.activity.last_seen(splice.flow, Direction.TO_CLIENT)
    return seen is not None and now - seen >= SILENT_FOR


def park(context: Context, junction: Junction, fin: Segment, now: float) -> None:
    """Go on without the server that closes with `fin`."""
    turn = junction.turn
    if _closed_before(junction, fin):
        # Nobody has acknowledged the request: the client sends it again, and another server gets it.
        leaving.park(context, junction, junction.request_start, {}, fin, now)
    elif isinstance(turn, Turn):
        leaving.park(context, junction, turn.start, turn.packets, fin, now)
    else:
        assert junction.splice.pivot is not None
        leaving.park(context, junction, junction.splice.pivot, {}, fin, now)


def _unanswered(junction: Junction, fin: Segment) -> bool:
    """Whether the server has sent nothing since the last request."""
    return seq.add(fin.sequence, junction.splice.delta) == junction.response_start


def _closed_before(junction: Junction, fin: Segment) -> bool:
    """Whether the server had closed when the last request came: it has seen nothing of it."""
    return _unanswered(junction, fin) and not seq.after(fin.acknowledgment, junction.request_start)
