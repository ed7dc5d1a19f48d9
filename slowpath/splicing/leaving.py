"""LEAVING: a server's last words to a client whose next request goes elsewhere, and the end of its connection.

What the client has yet to send of earlier requests, and what the server has yet to answer, is translated
here; our FIN follows the one, and the server's FIN, which the client never sees, says where the other
ends. There the next server's stream begins. So no response is lost, cut short or overtaken.

A server that ends before it was asked to may owe a response, or have said that it closes: the client's connection
ends with it then, as if there were no balancer, unless a silence before shows that it was idle. So it does where
nobody can tell how many of several requests were answered, as the fast path has forwarded the answers: the next
response would be taken for a missing one.
"""

from __future__ import annotations

from fastpath import frame
from fastpath.frame import Action, InjectFlags, Punt
from fastpath.records import Direction
from slowpath.accesslog.entry import Ended
from slowpath.http.responses import Responses
from slowpath.splicing import relaying, resuming
from slowpath.splicing.activity import SILENT_FOR
from slowpath.splicing.context import Context
from slowpath.splicing.farewell import Farewell
from slowpath.splicing.junction import Junction
from slowpath.splicing.phases import Phase
from slowpath.splicing.resuming import Decided, Packets
from slowpath.splicing.session import CACHE_LIMIT
from slowpath.tcp.reassembly import Reassembly
from slowpath.wire import sequence as seq
from slowpath.wire import tcp
from slowpath.wire.options import Options
from slowpath.wire.tcp import Segment

_LARGEST_WINDOW = 1 << 16
_REACH = 1 << 24
"""Bytes that a packet of a server may be away from what its client has acknowledged."""
_FLIGHT = 1 << 20
"""Bytes of a server's stream that may be on their way out of order."""


def start(
    context: Context,
    junction: Junction,
    place: int,
    packets: Packets,
    last: Segment,
    decided: Decided | None,
    now: float,
) -> None:
    """Leave the server of `junction` before the request at `place`; `last` is the client's latest packet."""
    stamps, acknowledged = last.options.timestamps, junction.response_start
    if seq.after(last.acknowledgment, acknowledged):
        acknowledged = last.acknowledgment
    tsval = stamps[1] if stamps else 0
    farewell = Farewell(place, packets, decided, last.window, stamps, acknowledged, tsval, now)
    _begin(context, junction, farewell, now)


def park(context: Context, junction: Junction, place: int, packets: Packets, fin: Segment, now: float) -> None:
    """Let go of a server that has closed with `fin` while it had nothing to do; the client does not learn of it.

    That the client has acknowledged everything is asked of it. Its next request, at `place`, finds a new server.
    """
    splice, stamps = junction.splice, fin.options.timestamps
    tsval = 0 if stamps is None else seq.add(stamps[0], splice.timestamp_delta)
    echoed = None if stamps is None else (stamps[1], tsval)
    farewell = Farewell(place, packets, None, _LARGEST_WINDOW - 1, echoed, junction.response_start, tsval, now)
    farewell.end = seq.add(fin.sequence, splice.delta)
    _begin(context, junction, farewell, now)
    if seq.before(farewell.acknowledged, farewell.end):
        _ask(context, junction, farewell)
    _finish_if_done(context, junction, farewell, now)


def receive(context: Context, junction: Junction, farewell: Farewell, punt: Punt, segment: Segment, now: float) -> None:
    """Process a packet of either side."""
    if segment.source == junction.splice.flow.client:
        _from_client(context, junction, farewell, punt, segment, now)
    else:
        _from_server(context, junction, farewell, punt, segment, now)
    if junction.phase is Phase.LEAVING:
        _finish_if_done(context, junction, farewell, now)


def tick(context: Context, junction: Junction, farewell: Farewell, now: float) -> None:
    """Send again what was not answered, or give up."""
    if now < farewell.give_up:
        if farewell.timer.expired(now):
            _end_server(context, junction, farewell, context.outcome.frames)
            if farewell.end is not None:
                _ask(context, junction, farewell)
        elif farewell.hold is not None and now >= farewell.hold:
            farewell.hold = None
            farewell.timer.start(now)
            _end_server(context, junction, farewell, context.outcome.frames)
        return
    _reset_server(context, junction, farewell)
    # One that acknowledges our FIN and sends none has done so before, and the client knows that it is to get no answer.
    unanswered = farewell.fin_acked and farewell.end is None
    if not unanswered and (farewell.relayed is None or not seq.before(farewell.acknowledged, farewell.relayed)):
        # The client has everything that the server ever sent.
        farewell.end, farewell.gone = farewell.acknowledged, True
        _finish_if_done(context, junction, farewell, now)
    else:
        _abandon(context, junction, farewell, now)


def _begin(context: Context, junction: Junction, farewell: Farewell, now: float) -> None:
    farewell.heard = context.activity.last_seen(junction.flow, Direction.TO_CLIENT)
    farewell.complete = farewell.acknowledged
    if junction.account is not None:
        junction.account.answered = farewell.heard
    context.withdraw(junction)
    junction.turn = farewell
    junction.closing = junction.deadline = None
    if farewell.end is None and farewell.acknowledged == junction.response_start:
        # Some servers take our FIN for a client that is gone, and would not answer any more.
        farewell.outstanding = Responses(junction.asked)
        farewell.inbox = Reassembly(junction.response_start, _FLIGHT)
    else:
        # Of one request the client has an answer; of several it may be that to the first.
        farewell.owing = farewell.end is None and len(junction.asked) > 1
        _send_fin(context, junction, farewell, context.outcome.farewells, now)
    _extend(junction, farewell, now)


def _let_go(context: Context, junction: Junction, farewell: Farewell, now: float) -> None:
    """There is no reason any more to hold our FIN back."""
    farewell.outstanding = farewell.inbox = None
    if farewell.end is None:
        _send_fin(context, junction, farewell, context.outcome.frames, now)
    _extend(junction, farewell, now)


def _send_fin(context: Context, junction: Junction, farewell: Farewell, frames: list[bytes], now: float) -> None:
    """Send our FIN at once; but some servers take it for a client that is gone, and one may have to answer yet."""
    if farewell.owing:
        farewell.hold = now + SILENT_FOR
    else:
        farewell.timer.start(now)
        _end_server(context, junction, farewell, frames)


def _extend(junction: Junction, farewell: Farewell, now: float) -> None:
    """Wait on: while a response is outstanding for as long as anywhere, else for as long as a close should take."""
    timeouts, owing = junction.service.timeouts, farewell.owing or farewell.outstanding is not None
    farewell.give_up = now + (timeouts.idle if owing and farewell.end is None else timeouts.answer)


def _from_client(
    context: Context, junction: Junction, farewell: Farewell, punt: Punt, segment: Segment, now: float
) -> None:
    if segment.flags & tcp.SYN or not segment.flags & (tcp.ACK | tcp.RST):
        return
    if segment.flags & tcp.RST:
        if 0 <= seq.difference(segment.sequence, farewell.start) < _LARGEST_WINDOW:
            _reset_server(context, junction, farewell)
            context.settle(junction, Ended.CLIENT_RESET, now)
            context.forget_junction(junction)
        return
    farewell.window = segment.window
    if segment.options.timestamps is not None:
        farewell.stamps = segment.options.timestamps
        if seq.after(farewell.stamps[1], farewell.tsval):
            farewell.tsval = farewell.stamps[1]
    if seq.after(segment.acknowledgment, farewell.acknowledged):
        farewell.acknowledged = segment.acknowledgment
        _extend(junction, farewell, now)
        if farewell.inbox is not None and seq.before(farewell.inbox.next, farewell.acknowledged):
            # The fast path has forwarded what we would have to read.
            farewell.owing = True
            _let_go(context, junction, farewell, now)
    end = seq.add(segment.sequence, segment.length)
    if seq.after(end, farewell.start):
        if segment.length:
            _keep(farewell, punt, segment)
        segment = relaying.until(segment, farewell.start)
        if not segment.payload:
            segment.sequence = seq.add(farewell.start, farewell.fin_sent)
    _send_to_server(context, junction, segment)


def _keep(farewell: Farewell, punt: Punt, segment: Segment) -> None:
    span = segment.sequence, seq.add(segment.sequence, segment.length)
    kept = sum(len(one.raw) for one, _ in farewell.packets.values())
    if span not in farewell.packets and kept + len(punt.raw) <= CACHE_LIMIT:
        farewell.packets[span] = punt, segment


def _from_server(
    context: Context, junction: Junction, farewell: Farewell, punt: Punt, segment: Segment, now: float
) -> None:
    splice = junction.splice
    if segment.flags & tcp.SYN:
        return
    sequence = seq.add(segment.sequence, splice.delta)
    end = seq.add(sequence, len(segment.payload))
    if abs(seq.difference(sequence, farewell.acknowledged)) > _REACH:
        return  # What is left of an earlier connection with the same ports.
    if segment.flags & tcp.RST:
        if not seq.before(sequence, farewell.acknowledged):
            farewell.end, farewell.gone = sequence, True
        return
    if seq.after(segment.acknowledgment, farewell.start):
        farewell.fin_acked = True
        if farewell.end is None:
            farewell.timer.stop()
    if segment.flags & tcp.FIN and farewell.end is None:
        farewell.end, farewell.hold = end, None
        of_its_own = not seq.after(segment.acknowledgment, farewell.start)
        farewell.told = of_its_own and not _is_idle(farewell, segment, now)
    _extend(junction, farewell, now)
    if segment.payload:
        farewell.heard = now
        if farewell.hold is not None:
            farewell.hold = now + SILENT_FOR
        if junction.account is not None:
            junction.account.answered = now
    if farewell.relayed is None or seq.after(end, farewell.relayed):
        farewell.relayed = end
    if farewell.inbox is not None and farewell.outstanding is not None:
        farewell.inbox.add(sequence, segment.payload)
        if farewell.outstanding.feed(farewell.inbox.take()):
            farewell.complete, farewell.owing = farewell.inbox.next, farewell.outstanding.malformed
            _let_go(context, junction, farewell, now)
    elif segment.payload and seq.after(end, farewell.complete):
        farewell.owing = True
    stamps = segment.options.timestamps
    if stamps is not None and seq.after(seq.add(stamps[0], splice.timestamp_delta), farewell.tsval):
        farewell.tsval = seq.add(stamps[0], splice.timestamp_delta)
    if not segment.flags & tcp.FIN and not seq.after(segment.acknowledgment, farewell.start):
        relaying.forward(context, junction, punt)
    elif segment.payload or not segment.flags & tcp.FIN:
        # Of both our FIN and the server's the client knows nothing: it would take ours for a byte of its request.
        inward = relaying.inward(splice, segment)
        inward.flags &= ~tcp.FIN
        if seq.after(inward.acknowledgment, farewell.start):
            inward.acknowledgment = farewell.start
        context.send(relaying.pieces(inward, junction.terms.segment_size))


def _is_idle(farewell: Farewell, fin: Segment, now: float) -> bool:
    """Whether the server ends with `fin` because nothing was asked of it for long: it has not seen our FIN."""
    if farewell.owing or farewell.outstanding is not None or fin.payload or fin.acknowledgment != farewell.start:
        return False
    return farewell.heard is not None and now - farewell.heard >= SILENT_FOR


def _finish_if_done(context: Context, junction: Junction, farewell: Farewell, now: float) -> None:
    """Once the client has all of the server's stream: take leave of the server, and go on with the client."""
    end = farewell.end
    if end is None or seq.before(farewell.acknowledged, end):
        return
    decided, owing = farewell.decided, farewell.owing or farewell.outstanding is not None
    if farewell.gone and owing:
        _abandon(context, junction, farewell, now)
        return
    if farewell.told or owing:
        # The client would take the next answer for that to a request which got none.
        decided = Decided(None, None, junction.service.protocol.opening(first=False))
    if not farewell.gone:
        farewell.acknowledged = seq.add(end, 1)  # the server's FIN
        # Before whatever the session sends, which may be for the same server.
        withdrawn = junction.splice.flow in context.outcome.withdraw
        _end_server(context, junction, farewell, context.outcome.farewells if withdrawn else context.outcome.frames)
    resuming.resume(
        context,
        junction,
        resuming.Place(seq.add(end, -1), farewell.start, farewell.window, farewell.stamps, farewell.tsval),
        farewell.packets,
        decided,
        now,
    )


def _end_server(context: Context, junction: Junction, farewell: Farewell, frames: list[bytes]) -> None:
    """Send our FIN, or, once the server has that, an ACK."""
    flags = tcp.ACK if farewell.fin_acked else tcp.FIN | tcp.ACK
    farewell.fin_sent = True
    segment = _own(junction, farewell, flags, seq.add(farewell.start, farewell.fin_acked))
    frames.append(
        frame.encode(
            tcp.build(relaying.outward(junction.splice, segment)), Action.ROUTE, flags=InjectFlags.EXPECT_REPLY
        )
    )


def _reset_server(context: Context, junction: Junction, farewell: Farewell) -> None:
    segment = _own(junction, farewell, tcp.RST | tcp.ACK, seq.add(farewell.start, farewell.fin_acked))
    _send_to_server(context, junction, segment)


def _own(junction: Junction, farewell: Farewell, flags: int, sequence: int) -> Segment:
    """A packet as the client would send it."""
    options = Options() if farewell.stamps is None else Options(timestamps=farewell.stamps)
    flow = junction.splice.flow
    return Segment(flow.client, flow.vip, sequence, farewell.acknowledged, flags, farewell.window, options)


def _send_to_server(context: Context, junction: Junction, segment: Segment) -> None:
    outward = relaying.outward(junction.splice, segment)
    context.send(relaying.pieces(outward, junction.terms.segment_size), InjectFlags.EXPECT_REPLY)


def _ask(context: Context, junction: Junction, farewell: Farewell) -> None:
    """Have the client say what it has: a packet before its window is answered with an ACK (RFC 9293 section 3.8.4)."""
    assert farewell.end is not None
    _send_to_client(context, junction, farewell, tcp.ACK, seq.add(farewell.end, -1))


def _abandon(context: Context, junction: Junction, farewell: Farewell, now: float) -> None:
    """Nothing can be made good any more: the client is told."""
    _send_to_client(context, junction, farewell, tcp.RST | tcp.ACK, farewell.acknowledged)
    context.settle(junction, Ended.LOST, now)
    context.forget_junction(junction)


def _send_to_client(context: Context, junction: Junction, farewell: Farewell, flags: int, sequence: int) -> None:
    client, vip = junction.splice.flow
    options = Options() if farewell.stamps is None else Options(timestamps=(farewell.tsval, farewell.stamps[0]))
    window = max(junction.service.offer.window >> junction.terms.receive_scale, 1)
    context.send([Segment(vip, client, sequence, farewell.start, flags, window, options)])
