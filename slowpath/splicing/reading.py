"""READING: cache the client's packets until the request head is complete, then route it."""

from __future__ import annotations

from fastpath.frame import Punt
from slowpath.request import Refused, Request
from slowpath.splicing import answering, connecting
from slowpath.splicing.context import Context
from slowpath.splicing.phases import Event
from slowpath.splicing.session import Session
from slowpath.tcp.states import State
from slowpath.wire.tcp import Segment

ACKNOWLEDGE_AFTER_SEGMENTS = 8
ACKNOWLEDGE_AFTER_SECONDS = 0.04
"""Since the last byte: a client that waits for an ACK (Nagle, a small window) has to get one."""


def receive(context: Context, session: Session, punt: Punt, segment: Segment, now: float) -> None:
    """Process a client packet while the head is incomplete."""
    client = session.client
    client.receive(segment, now)
    if client.state is State.CLOSED:
        context.forget_session(session)
        return
    session.cache(punt, segment)
    data = client.inbox.take()
    session.received += data
    try:
        request = session.opening.feed(data) if data else None
    except Refused as refusal:
        answering.answer(context, session, refusal.status, now)
        return
    if request is not None:
        _route(context, session, request, now)
    elif client.inbox.finished:
        # The client will send no more: half a head is malformed, none at all is a plain close.
        answering.answer(context, session, 400 if session.received else None, now)
    elif data:
        _acknowledge_if_due(context, session, now)
    else:
        context.flush(session)


def tick(context: Context, session: Session, now: float) -> None:
    """Acknowledge, or give up on the head."""
    if session.deadline is not None and now >= session.deadline:
        answering.answer(context, session, 408, now)
    elif session.acknowledge_at is not None and now >= session.acknowledge_at:
        _acknowledge(context, session, now)


def _acknowledge_if_due(context: Context, session: Session, now: float) -> None:
    session.segments += 1
    pending = len(session.received) - session.owned
    # With less than a segment of its window left, the client has to wait for us.
    if session.segments >= ACKNOWLEDGE_AFTER_SEGMENTS or pending + session.agreed.mss > session.service.offer.window:
        _acknowledge(context, session, now)
    else:
        session.acknowledge_at = now + ACKNOWLEDGE_AFTER_SECONDS
        context.flush(session)


def _acknowledge(context: Context, session: Session, now: float) -> None:
    session.owned, session.segments, session.acknowledge_at = len(session.received), 0, None
    session.client.acknowledge(now)
    context.flush(session)


def _route(context: Context, session: Session, request: Request, now: float) -> None:
    session.acknowledge_at = None
    session.request = request
    route = session.service.router.choose(request)
    if route is None:
        answering.answer(context, session, 404, now, head_only=request.method == "HEAD")
        return
    session.pool = session.service.pools[route.pool]
    context.statistics.requests[session.service.name, route.pool] += 1
    session.move(Event.ROUTED)
    connecting.start(context, session, now)
