"""The client's handshake: SYNs answered with cookies, and the first data that proves one."""

from __future__ import annotations

from fastpath.frame import Punt
from fastpath.records import Flow
from slowpath.splicing import reading
from slowpath.splicing.context import Context
from slowpath.splicing.service import Service
from slowpath.splicing.session import Session
from slowpath.tcp import cookie
from slowpath.tcp.connection import Connection, Parameters, milliseconds
from slowpath.tcp.cookie import Agreed, Check
from slowpath.wire import sequence as seq
from slowpath.wire import tcp
from slowpath.wire.options import Options
from slowpath.wire.tcp import Segment

SESSION_LIMIT = 65_536
"""Connections that may be on their way to a join or an answer; others wait for their client's retransmission."""

_CLIENT_RTO = 0.3


def receive(context: Context, service: Service, punt: Punt, segment: Segment, now: float) -> None:
    """Process a client packet that belongs to no session."""
    kind = segment.flags & (tcp.SYN | tcp.ACK | tcp.RST)
    if kind == tcp.SYN:
        _answer_syn(context, service, segment, now)
    elif kind & tcp.RST:
        context.statistics.drops["reset"] += 1
    elif kind == tcp.ACK:
        _check_cookie(context, service, punt, segment, now)
    else:
        context.refuse(segment, "no_connection")


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
    flow = Flow(segment.source, segment.destination)
    isn = seq.add(segment.acknowledgment, -1)
    verdict, agreed = cookie.check(context.cookies, flow, seq.add(segment.sequence, -1), isn)
    if verdict is Check.FOREIGN:
        context.refuse(segment, "no_connection")
    elif verdict is Check.OUT_OF_ORDER:
        context.statistics.drops["out_of_order"] += 1
    elif segment.length == 0:
        return  # The handshake's last ACK: there is nothing to keep yet.
    elif context.sessions >= SESSION_LIMIT:
        context.statistics.drops["session_limit"] += 1
    else:
        session = _session(service, flow, isn, agreed, segment, now)
        context.statistics.connections[service.name] += 1
        context.add(session)
        reading.receive(context, session, punt, segment, now)
        context.schedule(session)


def _session(service: Service, flow: Flow, isn: int, agreed: Agreed, segment: Segment, now: float) -> Session:
    scaled = agreed.window_scale is not None
    parameters = Parameters(
        iss=isn,
        irs=seq.add(segment.sequence, -1),
        mss=agreed.mss,
        send_scale=agreed.window_scale or 0,
        receive_scale=(service.offer.window_scale or 0) if scaled else 0,
        timestamps=agreed.timestamps,
    )
    client = Connection.accepted(
        flow.vip, flow.client, parameters, rto=_CLIENT_RTO, receive_limit=2 * service.protocol.head_limit
    )
    client.withhold = True
    if segment.options.timestamps is not None:
        client.ts_recent, client.last_tsval = segment.options.timestamps
    session = Session(flow, service, agreed, client, service.protocol.opening(), now, segment)
    session.deadline = now + service.timeouts.head
    return session
