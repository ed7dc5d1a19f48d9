"""The next request of a spliced client: to the server it has, if that may have it, or else to another one."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastpath.frame import Punt
from fastpath.records import Direction, Splice
from slowpath.http.answers import Answer, standard
from slowpath.request import Refused, Request
from slowpath.routing.router import Route
from slowpath.splicing import deciding, leaving, pivots, relaying
from slowpath.splicing.accounting import Account
from slowpath.splicing.context import Context
from slowpath.splicing.junction import Junction
from slowpath.splicing.openings import Opening
from slowpath.splicing.phases import Phase
from slowpath.splicing.pivots import Course
from slowpath.splicing.recurrence import METHOD
from slowpath.splicing.resuming import Decided, Packets
from slowpath.splicing.service import Service
from slowpath.splicing.session import CACHE_LIMIT
from slowpath.splicing.terms import methods
from slowpath.tcp.reassembly import Reassembly
from slowpath.wire import sequence as seq
from slowpath.wire.tcp import Segment

PIPELINED = 256
"""Requests without an answer that a server is sent ahead; the next ones wait until it has answered."""

READ_WITHIN = 0.04
"""Seconds for the rest of a head. A client that takes longer may wait for an ACK, and only a session gives one."""


@dataclass(slots=True)
class Turn:
    """A request that is being read while its connection is spliced."""

    start: int
    """The client's SEQ at which it starts."""
    opening: Opening
    inbox: Reassembly
    read: int = 0
    """Bytes of it that `opening` has."""
    packets: Packets = field(default_factory=dict)
    """What reaches past `start`, by its first sequence number and the one after."""
    size: int = 0
    deadline: float | None = None

    def keep(self, punt: Punt, segment: Segment) -> None:
        """Keep a packet, unless there is no room: then the client sends it again."""
        span = (segment.sequence, seq.add(segment.sequence, segment.length))
        if span not in self.packets and (not self.packets or self.size + len(punt.raw) <= CACHE_LIMIT):
            self.packets[span] = punt, segment
            self.size += len(punt.raw)
            self.inbox.add(segment.sequence, segment.payload)


def receive(context: Context, junction: Junction, punt: Punt, segment: Segment, now: float) -> None:
    """Process a packet that concerns the next request."""
    turn = junction.turn
    if not isinstance(turn, Turn):
        assert junction.splice.pivot is not None
        turn = junction.turn = _turn(junction.service, junction.splice.pivot)
    turn.keep(punt, segment)
    if turn.inbox.data:
        go_on(context, junction, turn, segment, now)
    else:
        _wait(context, junction, turn, now)


def go_on(context: Context, junction: Junction, turn: Turn, segment: Segment, now: float) -> None:
    """Read what has come in order, the last of it with `segment`: perhaps a whole request, perhaps several."""
    # What a reload has changed holds from the next request on.
    junction.service = service = context.services.get(junction.splice.flow.vip, junction.service)
    data, first = turn.inbox.take(), turn.start
    asked: tuple[str, ...] = ()
    last = False
    while data and not last:
        try:
            request = turn.opening.feed(data)
        except Refused as refusal:
            _leave(context, junction, turn, asked, segment, Decided(standard(refusal.status), None, turn.opening), now)
            return
        if request is None:
            turn.read += len(data)
            break
        decision = deciding.decide(context, service, junction.splice.flow, request, now)
        course = pivots.course(request, service.pivot)
        waiting = len(junction.asked) + len(asked)
        if waiting >= PIPELINED or not _may_stay(junction, decision, request, course):
            _leave(context, junction, turn, asked, segment, Decided(decision, request, turn.opening), now)
            return
        if junction.account is not None:
            _ask(junction, junction.account, request, course, now)
        length = pivots.end(request)
        if junction.splice.follows_precedents and not turn.read and isinstance(decision, Route):
            head = bytes(data[:length])
            if told := context.precedents.of(junction.splice, service, decision, request, head, now):
                context.outcome.precedents.append(told)
        asked += methods(request.method)
        data = data[length - turn.read :]
        last = course is Course.NOTHING
        turn.start, turn.read = seq.add(turn.start, length), 0
        if data:
            turn.opening = service.protocol.opening(first=False)
    if turn.start != first:
        _move(context, junction, None if last else turn.start, asked, segment)
        turn.deadline = None
    _deliver(context, junction, turn, everything=last)
    if turn.read or turn.start == first:
        _wait(context, junction, turn, now)
    else:
        junction.turn = None


def catch_up(context: Context, junction: Junction) -> None:
    """Take note of the requests that have followed precedents since the slow path last saw one."""
    splice, turn = junction.splice, junction.turn
    followed = context.activity.followed(splice.flow) if splice.follows_precedents else None
    if followed is None or splice.pivot is None or not seq.after(followed.pivot, splice.pivot):
        return
    junction.splice = _with_pivot(splice, followed.pivot)
    if isinstance(turn, Turn) and seq.before(turn.start, followed.pivot):
        # The client has sent it again, all at once; what it has sent of the next one it will, too.
        junction.turn = None
    asked = methods(METHOD)
    if followed.request_start is None or followed.response_start is None:
        junction.asked += asked + asked  # Nobody knows what was answered.
    elif seq.after(followed.response_start, junction.response_start):
        junction.request_start, junction.response_start = followed.request_start, followed.response_start
        junction.asked = asked
    else:
        junction.asked += asked


def tick(context: Context, junction: Junction, now: float) -> None:
    """The rest of a head does not come: a session reads on, with an ACK for the client and its timeouts."""
    turn = junction.turn
    assert isinstance(turn, Turn)
    _, last = next(reversed(turn.packets.values()))
    _leave(context, junction, turn, (), last, None, now)


def _turn(service: Service, start: int) -> Turn:
    opening = service.protocol.opening(first=False)
    return Turn(start, opening, Reassembly(start, 2 * service.protocol.head_limit))


def _wait(context: Context, junction: Junction, turn: Turn, now: float) -> None:
    if turn.deadline is None:
        turn.deadline = now + READ_WITHIN
        context.schedule(junction)


def _may_stay(junction: Junction, decision: Route | Answer, request: Request, course: Course) -> bool:
    """Whether the request may go to the server as it is, and everything about the next one is known."""
    if isinstance(decision, Answer) or decision.rule.edits is not None:
        return False
    if course not in (Course.REQUEST, Course.NOTHING) or junction.member is None:
        return False
    pool = junction.service.pools[decision.pool]
    return pool is junction.pool and pool.stays(junction.splice.flow.client, junction.member, request)


def _move(context: Context, junction: Junction, pivot: int | None, asked: tuple[str, ...], segment: Segment) -> None:
    """Note which requests have been `asked` for, the last with `segment`, and have the pivot moved behind them."""
    if not seq.after(segment.acknowledgment, junction.response_start):
        junction.asked += asked  # Nothing of the answers to those before has arrived.
    else:
        assert junction.splice.pivot is not None
        if junction.account is not None:
            _account(context, junction, junction.account, len(asked), segment)
        junction.request_start, junction.response_start = junction.splice.pivot, segment.acknowledgment
        junction.asked = asked
    old = junction.splice
    junction.splice = _with_pivot(old, pivot)
    if junction.phase is Phase.SPLICED:
        context.outcome.update.append(junction)


def _with_pivot(splice: Splice, pivot: int | None) -> Splice:
    return Splice(
        splice.flow,
        splice.server,
        splice.server_id,
        splice.source,
        splice.delta,
        splice.timestamp_delta,
        pivot,
        splice.follows_precedents,
    )


def _ask(junction: Junction, account: Account, request: Request, course: Course, now: float) -> None:
    """Begin a line for a request that goes to the server that is there."""
    entry = account.ask(junction.flow, junction.service, request, now)
    account.measure(request, course)
    entry.pool, entry.server = junction.pool.name, junction.splice.server


def _account(context: Context, junction: Junction, account: Account, count: int, segment: Segment) -> None:
    """The client has got, as it says with `segment`, the answers to all requests but the `count` latest."""
    if context.journal is not None:
        sent = seq.difference(segment.acknowledgment, junction.response_start)
        until = context.activity.last_seen(junction.flow, Direction.TO_CLIENT)
        account.complete(context.journal, len(account.entries) - count, sent, until)


def _deliver(context: Context, junction: Junction, turn: Turn, *, everything: bool) -> None:
    """Give the server what comes before the request that is being read."""
    left: Packets = {}
    for span, (punt, segment) in turn.packets.items():
        if everything or not seq.after(seq.add(segment.sequence, len(segment.payload)), turn.start):
            context.outcome.passing.append((junction, punt))
            continue
        left[span] = punt, segment
        if seq.before(segment.sequence, turn.start):
            for piece in relaying.pieces(relaying.until(segment, turn.start), junction.terms.segment_size):
                context.outcome.passing.append((junction, relaying.remade(punt, piece)))
    turn.packets = left


def _leave(
    context: Context,
    junction: Junction,
    turn: Turn,
    asked: tuple[str, ...],
    segment: Segment,
    decided: Decided | None,
    now: float,
) -> None:
    catch_up(context, junction)
    if junction.turn is not turn:
        return  # What was to go elsewhere has gone to the server, as a precedent held for it a moment ago.
    if asked:
        _move(context, junction, turn.start, asked, segment)
    _deliver(context, junction, turn, everything=False)
    leaving.start(context, junction, turn.start, turn.packets, segment, decided, now)
