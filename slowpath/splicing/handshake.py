"""The client's handshake: SYNs answered with cookies, and the first data that proves one."""

from __future__ import annotations

from typing import Final

from fastpath.frame import Punt
from fastpath.records import Flow
from slowpath.limiting.limits import Exceeded
from slowpath.splicing import reading
from slowpath.splicing.accounting import Account
from slowpath.splicing.context import Context
from slowpath.splicing.openings import Opening
from slowpath.splicing.service import Service
from slowpath.splicing.session import Session
from slowpath.splicing.terms import Terms, terms
from slowpath.tcp import cookie
from slowpath.tcp.connection import Connection, Parameters, milliseconds
from slowpath.tcp.cookie import Agreed, Check
from slowpath.wire import sequence as seq
from slowpath.wire import tcp
from slowpath.wire.options import Options
from slowpath.wire.tcp import Segment

SESSION_LIMIT = 65_536
"""Connections that may be on their way to a join or an answer.

One more takes the place of the oldest that waits for a request, or waits for its client's retransmission.
"""

_CLIENT_RTO: Final = 0.3
_NEW: Final = tuple.__new__
"""As a named tuple is made: what it is made by otherwise is not compiled, and takes several times as long."""


def receive(context: Context, service: Service, punt: Punt, segment: Segment, now: float) -> None:
    """Process a client packet that belongs to no session."""
    kind = segment.flags & (tcp.SYN | tcp.ACK | tcp.RST)
    if service.access is not None and not service.access.permits(segment.source.address):
        # A host's fast path has dropped it already, a switch leaves it to us.
        context.statistics.drops["denied"] += 1
    elif kind == tcp.SYN:
        _answer_syn(context, service, segment, now)
    elif kind & tcp.RST:
        context.statistics.drops["reset"] += 1
    elif kind == tcp.ACK:
        _check_cookie(context, service, punt, segment, now)
    else:
        context.refuse(segment, "no_connection", now)


def _answer_syn(context: Context, service: Service, segment: Segment, now: float) -> None:
    offer, asked = service.offer, segment.options
    agreed = cookie.agree(asked, segment.flags, offer)
    isn = cookie.make(context.cookies, Flow(segment.source, segment.destination), segment.sequence, agreed)
    options = Options(
        mss=offer.mss,
        window_scale=offer.window_scale if agreed.window_scale is not None else None,
        sack_permitted=agreed.sack,
        timestamps=(milliseconds(now), asked.timestamps[0]) if agreed.timestamps and asked.timestamps else None,
    )
    flags = tcp.SYN | tcp.ACK | (tcp.ECE if agreed.ecn else 0)
    ack = seq.add(segment.sequence, 1)
    context.send([Segment(segment.destination, segment.source, isn, ack, flags, offer.window, options)])


def _check_cookie(context: Context, service: Service, punt: Punt, segment: Segment, now: float) -> None:
    flow = _NEW(Flow, (segment.source, segment.destination))
    isn = seq.add(segment.acknowledgment, -1)
    verdict, agreed = cookie.check(context.cookies, flow, seq.add(segment.sequence, -1), isn)
    if verdict is Check.FOREIGN:
        context.refuse(segment, "no_connection", now)
    elif segment.length == 0 and service.protocol.client_first:
        return  # The last ACK of the handshake, or of a close: there is nothing to keep.
    elif verdict is Check.OUT_OF_ORDER:
        context.statistics.drops["out_of_order"] += 1
    elif segment.flags & tcp.FIN and not segment.payload and service.protocol.client_first:
        _close(context, segment, agreed, now)
    elif context.sessions >= SESSION_LIMIT and not context.partial:
        context.statistics.drops["session_limit"] += 1
    else:
        try:
            slot = service.limits.admit(flow.client.address, now) if service.limits is not None else None
        except Exceeded as exceeded:
            context.statistics.limited[service.name, exceeded.kind] += 1
            context.refuse(segment, "limited", now)
            return
        if context.sessions >= SESSION_LIMIT:
            _make_room(context, now)
        scaled = agreed.window_scale is not None
        agreement = terms(agreed, (service.offer.window_scale or 0) if scaled else 0)
        opened = session(service, flow, agreement, isn, segment, service.protocol.opening(), now)
        opened.slot = slot
        if context.journal is not None and context.journal.takes(service.access_log):
            opened.account = Account()
        context.statistics.connections[service.name] += 1
        context.add(opened)
        reading.receive(context, opened, punt, segment, now)
        context.schedule(opened)


def _close(context: Context, segment: Segment, agreed: Agreed, now: float) -> None:
    """Close a connection on which nothing was said, as often as its client asks for that.

    A session would wait for an ACK which a fast path takes for that of a handshake in 1 of 1024 cases.
    """
    stamps = segment.options.timestamps if agreed.timestamps else None
    options = Options(timestamps=None if stamps is None else (milliseconds(now), stamps[0]))
    flags, ack = tcp.FIN | tcp.ACK, seq.add(segment.sequence, 1)
    context.send([Segment(segment.destination, segment.source, segment.acknowledgment, ack, flags, 0, options)])


def _make_room(context: Context, now: float) -> None:
    """Reset the connection that has waited for (the rest of) a request for longest: most take a round trip."""
    oldest = next(iter(context.partial))
    context.statistics.drops["session_limit"] += 1
    oldest.client.abort(now)
    context.flush(oldest)
    context.forget_session(oldest)


def session(
    service: Service, flow: Flow, agreement: Terms, isn: int, segment: Segment, opening: Opening, now: float
) -> Session:
    """A session whose client has acknowledged our initial sequence number `isn`, and begins to send with `segment`."""
    agreed = agreement.agreed
    parameters = Parameters(
        iss=isn,
        irs=seq.add(segment.sequence, -1),
        mss=agreed.mss,
        send_scale=agreed.window_scale or 0,
        receive_scale=agreement.receive_scale,
        timestamps=agreed.timestamps,
    )
    client = Connection.accepted(
        flow.vip, flow.client, parameters, rto=_CLIENT_RTO, receive_limit=2 * service.protocol.head_limit
    )
    client.withhold = True
    if segment.options.timestamps is not None:
        client.ts_recent, client.last_tsval = segment.options.timestamps
    opened = Session(flow, service, agreed, client, opening, now, segment)
    opened.deadline = now + service.timeouts.head
    return opened
