"""UPGRADING: whether a connection stops being HTTP is the server's to say (RFC 9110 sections 7.8 and 9.3.6).

Until then the slow path forwards, or a client could ask for another protocol and have all its later requests
pass unread.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from fastpath.closing import Closing
from fastpath.frame import InjectFlags, Punt
from slowpath.http.response import LIMIT, MalformedResponse, ResponseReader
from slowpath.request import Request
from slowpath.splicing import relaying
from slowpath.splicing.context import Context
from slowpath.splicing.junction import Held, Junction
from slowpath.splicing.phases import Event
from slowpath.splicing.session import CACHE_LIMIT
from slowpath.tcp.reassembly import Reassembly
from slowpath.wire import sequence as seq
from slowpath.wire import tcp
from slowpath.wire.tcp import Segment

_SWITCHING_PROTOCOLS = 101


@dataclass(slots=True)
class Upgrade:
    """The answer that is waited for."""

    inbox: Reassembly
    """The server's stream, in its own numbering."""
    tunnel: bool
    """Whether the request was CONNECT."""
    reader: ResponseReader = field(default_factory=ResponseReader)
    held: list[Punt] = field(default_factory=list)
    """What the client has sent behind its request: HTTP or not, nobody knows."""
    size: int = 0
    deadline: float | None = None


def start(context: Context, junction: Junction, request: Request) -> None:
    """Forward what is there of `request`, and wait for the answer; what there is of that stays in `cached`."""
    splice, waiting = junction.splice, junction.cached
    if isinstance(junction.turn, Held):
        waiting = junction.turn.packets
    junction.move(Event.UPGRADE)
    junction.closing = Closing()
    origin = seq.add(junction.response_start, -splice.delta)
    junction.turn = Upgrade(Reassembly(origin, LIMIT + CACHE_LIMIT), request.method == "CONNECT")
    replies: list[Punt] = []
    for punt in waiting:
        segment = tcp.parse(punt.packet, checksum_known=True)
        if segment.source == splice.server:
            replies.append(punt)
        elif not holds(context, junction, punt, segment):
            relaying.forward(context, junction, punt)
    junction.cached = replies


def holds(context: Context, junction: Junction, punt: Punt, segment: Segment) -> bool:
    """Keep a packet that has bytes from behind the request, and forward what it has of the request itself."""
    upgrade = junction.turn
    assert isinstance(upgrade, Upgrade) and junction.splice.pivot is not None
    if not junction.asks(segment):
        return False
    if upgrade.size + len(punt.raw) <= CACHE_LIMIT:
        upgrade.held.append(punt)
        upgrade.size += len(punt.raw)
    if seq.before(segment.sequence, junction.splice.pivot):
        part = relaying.outward(junction.splice, relaying.until(segment, junction.splice.pivot))
        context.send(relaying.pieces(part, junction.terms.segment_size), InjectFlags.EXPECT_REPLY)
    return True


def note(context: Context, junction: Junction, upgrade: Upgrade, segment: Segment) -> None:
    """Read a packet that was forwarded, and have the splice installed when it tells how the connection goes on."""
    if segment.source != junction.splice.server or not upgrade.inbox.add(segment.sequence, segment.payload):
        return
    try:
        status = upgrade.reader.feed(upgrade.inbox.take())
    except MalformedResponse:
        status = 0
    if status is None:
        return
    if junction.account is not None:
        junction.account.entries[-1].status = status or None
    if status == _SWITCHING_PROTOCOLS or (upgrade.tunnel and 200 <= status < 300):
        junction.splice = replace(junction.splice, pivot=None)
    junction.turn = Held(upgrade.held)
    if junction.closing is not None and junction.closing.begun:
        # A fast path would wait for a FIN that has passed.
        junction.move(Event.REFUSED)
        return
    junction.closing = junction.deadline = None
    junction.move(Event.SETTLED)
    context.outcome.install.append(junction)
