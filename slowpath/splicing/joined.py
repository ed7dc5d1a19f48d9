"""JOINING to LINGERING: packets of a joined connection that still come through the slow path."""

from __future__ import annotations

from fastpath.closing import Cause, Closing
from fastpath.frame import Action, Punt
from fastpath.records import Direction, Reason
from slowpath.accesslog.entry import Ended
from slowpath.splicing import connecting, leaving, parking, relaying, turning, upgrading
from slowpath.splicing.context import Context
from slowpath.splicing.farewell import Farewell
from slowpath.splicing.junction import Held, Junction
from slowpath.splicing.phases import Event, Phase
from slowpath.splicing.upgrading import Upgrade
from slowpath.wire import sequence as seq
from slowpath.wire import tcp
from slowpath.wire.options import Options
from slowpath.wire.tcp import Segment

_WINDOW = 512
"""Unscaled: what a client has room for at least, until it says so itself."""
_TURNING = (Phase.SPLICED, Phase.RELAYED)
"""Phases in which the client's next request may come."""


def installed(context: Context, junction: Junction, now: float) -> None:
    """The fast path has the splice: give it what was cached, so that one piece of code does every rewrite."""
    context.splices += 1
    if junction.phase is not Phase.JOINING:
        return  # It has ended while the fast path was at work.
    junction.move(Event.INSTALLED)
    context.outcome.passing += [(junction, punt) for punt in junction.cached]
    junction.cached = []
    junction.touched = now
    context.rest.watch(junction, now)
    _release(context, junction, now)


def refused(context: Context, junction: Junction, now: float) -> None:
    """The fast path has no room: forward here."""
    junction.move(Event.REFUSED)
    junction.closing = Closing()
    junction.deadline = now + junction.service.timeouts.idle
    cached, junction.cached = junction.cached, []
    for punt in cached:
        _forward(context, junction, punt, now)
    _release(context, junction, now)
    context.schedule(junction)


def receive(context: Context, junction: Junction, punt: Punt, segment: Segment, now: float) -> None:
    """Process a packet of either side."""
    junction.touched = now
    if junction.splice.follows_precedents and segment.sequence != junction.splice.pivot:
        turning.catch_up(context, junction)
    syn = segment.flags & tcp.SYN
    if isinstance(junction.turn, Farewell):
        leaving.receive(context, junction, junction.turn, punt, segment, now)
    elif syn and segment.source == junction.splice.server:
        _confirm(context, junction, segment)
    elif junction.phase is Phase.JOINING and not syn:
        _hold(junction, punt, segment)
    elif junction.phase is Phase.UPGRADING and not syn:
        _upgrade(context, junction, punt, segment, now)
    elif junction.asks(segment) and junction.phase in _TURNING and not syn:
        turning.receive(context, junction, punt, segment, now)
    elif punt.reason is Reason.FIN and parking.is_idle(context, junction, segment, now):
        parking.park(context, junction, segment, now)
    elif syn or junction.closing is not None or punt.reason is Reason.OPTIONS:
        # A SYN within a live connection goes on as well: the server challenges it (RFC 5961 section 4), as only it can.
        _forward(context, junction, punt, now)
    else:
        # Punted before the install took effect.
        context.outcome.passing.append((junction, punt))


def _confirm(context: Context, junction: Junction, syn_ack: Segment) -> None:
    """Answer a SYN-ACK of the server's.

    If it repeats it, what we injected was lost: its ACK is ours to repeat, the data the client's. Otherwise it has
    forgotten the connection, and taken a SYN that went on to it for one of a new one, which is not to be.
    """
    if seq.add(syn_ack.sequence, 1) == junction.server_start:
        context.send([connecting.confirmation(syn_ack, syn_ack.acknowledgment, _WINDOW)])
    elif junction.server_start is not None and syn_ack.flags & tcp.ACK:
        ends = syn_ack.destination, syn_ack.source
        context.send([Segment(*ends, syn_ack.acknowledgment, 0, tcp.RST, 0, Options())])


def heard(context: Context, junction: Junction, now: float) -> None:
    """Process what a server has answered before its connection was joined, if that is waited for."""
    if junction.phase is Phase.UPGRADING:
        junction.deadline = now + junction.service.timeouts.idle
        replies, junction.cached = junction.cached, []
        for punt in replies:
            receive(context, junction, punt, tcp.parse(punt.packet, checksum_known=True), now)
        context.schedule(junction)


def tick(context: Context, junction: Junction, now: float) -> None:
    """See to the next request, or forget a connection that is over or silent."""
    errand = junction.turn
    if errand is None or errand.deadline is None or now < errand.deadline:
        context.settle(junction, Ended.IDLE, now)
        context.forget_junction(junction)
    elif isinstance(errand, Farewell):
        leaving.tick(context, junction, errand, now)
    else:
        turning.tick(context, junction, now)


def _upgrade(context: Context, junction: Junction, punt: Punt, segment: Segment, now: float) -> None:
    if upgrading.holds(context, junction, punt, segment):
        return
    _forward(context, junction, punt, now)
    if isinstance(junction.turn, Upgrade):
        upgrading.note(context, junction, junction.turn, segment)
        if junction.closing is not None:
            _release(context, junction, now)


def _hold(junction: Junction, punt: Punt, segment: Segment) -> None:
    """Keep a packet until the splice is installed; after one of the next request, all of them."""
    if isinstance(junction.turn, Held):
        junction.turn.packets.append(punt)
    elif junction.asks(segment):
        junction.turn = Held([punt])
    else:
        junction.cached.append(punt)


def _release(context: Context, junction: Junction, now: float) -> None:
    """Let the packets go on that were held."""
    if not isinstance(junction.turn, Held):
        return
    held, junction.turn = junction.turn.packets, None
    for punt in held:
        receive(context, junction, punt, tcp.parse(punt.packet, checksum_known=True), now)
    context.schedule(junction)


def pass_on(context: Context) -> None:
    """Have the packets go on that were let pass."""
    outcome = context.outcome
    for junction, punt in outcome.passing:
        if junction.phase is Phase.LEAVING:
            # Only once the fast path has given the connection up: what it is answered with has to come here.
            relaying.forward(context, junction, punt, outcome.farewells)
        elif junction.closing is not None:
            relaying.forward(context, junction, punt)
        else:
            outcome.frames.append(punt.reinjected(Action.TRANSLATE))
    outcome.passing = []


def closed(context: Context, junction: Junction, now: float, reset_by: Direction | None = None, *, reset: bool) -> None:
    """Both ends are done, or one has sent a RST: keep the record for what is still on its way, then remove it."""
    if junction.phase is Phase.LEAVING:
        # What was reported happened before the fast path gave the connection up.
        context.settle(junction, _ended(reset_by, reset=reset), now)
        context.forget_junction(junction)
        return
    if junction.phase is not Phase.LINGERING:
        context.settle(junction, _ended(reset_by, reset=reset), now)
        junction.move(Event.CLOSED)
        if junction.member is not None:
            by_server = reset_by is Direction.TO_CLIENT
            context.observer.ended(junction.member, now - junction.connect_started, now, reset=by_server)
    junction.turn = None  # There is nobody left to ask, or to answer.
    context.release_member(junction)
    context.release_slot(junction)
    junction.deadline = now + junction.service.timeouts.linger
    context.schedule(junction)


def _ended(reset_by: Direction | None, *, reset: bool) -> Ended:
    if not reset:
        return Ended.CLOSED
    if reset_by is None:
        return Ended.RESET
    return Ended.SERVER_RESET if reset_by is Direction.TO_CLIENT else Ended.CLIENT_RESET


def _forward(context: Context, junction: Junction, punt: Punt, now: float) -> None:
    """Forward a packet here; what a fast path does for its splices, notice the end, or silence, is done here, too."""
    relayed = relaying.forward(context, junction, punt)
    if relayed is None or junction.closing is None or junction.phase not in (Phase.RELAYED, Phase.UPGRADING):
        return
    if causes := junction.closing.observe(relayed.direction, relayed.arrived, relayed.left):
        reset = Cause.RESET in causes
        closed(context, junction, now, relayed.direction if reset else None, reset=reset)
    else:
        junction.deadline = now + junction.service.timeouts.idle
        context.schedule(junction)
