"""READING: cache the client's packets until the request head is complete, then route it."""

from __future__ import annotations

from fastpath.frame import Punt
from slowpath.http.answers import Answer, standard
from slowpath.request import Refused, Request
from slowpath.routing.router import Route
from slowpath.splicing import answering, connecting, deciding, pivots, preparing
from slowpath.splicing.context import Context
from slowpath.splicing.phases import Event, Phase
from slowpath.splicing.pivots import Course
from slowpath.splicing.session import Session
from slowpath.tcp.states import State
from slowpath.wire.tcp import Segment

ACKNOWLEDGE_AFTER_SEGMENTS = 8
ACKNOWLEDGE_AFTER_SECONDS = 0.04
"""Since the last byte: a client that waits for an ACK (Nagle, a small window) has to get one."""


def receive(context: Context, session: Session, punt: Punt, segment: Segment, now: float) -> None:
    """Process a client packet while the head is incomplete."""
    client = session.client
    if session.phase is Phase.PARKED and segment.length:
        session.move(Event.ASKED)
        session.first = segment
        session.deadline = now + session.service.timeouts.head
    client.receive(segment, now)
    if client.state is State.CLOSED:
        context.forget_session(session)
        return
    session.cache(punt, segment)
    data = client.inbox.take()
    session.received += data
    read(context, session, data, now)


def read(context: Context, session: Session, data: bytes, now: float) -> None:
    """Go on with `data`, which was added to what the session has received."""
    client = session.client
    try:
        request = session.opening.feed(data) if data or not session.service.protocol.client_first else None
    except Refused as refusal:
        answering.answer(context, session, standard(refusal.status), now)
        return
    if request is not None:
        _route(context, session, request, now)
    elif client.inbox.finished:
        # The client will send no more: half a head is malformed, none at all is a plain close.
        answering.answer(context, session, standard(400) if session.received else None, now)
    elif data:
        _acknowledge_if_due(context, session, now)
    else:
        context.flush(session)


def tick(context: Context, session: Session, now: float) -> None:
    """Acknowledge, repeat a greeting, or give up on the head."""
    if session.deadline is not None and now >= session.deadline:
        # One that has waited for a request in vain has done nothing wrong.
        answering.answer(context, session, standard(408) if session.received else None, now)
    elif session.acknowledge_at is not None and now >= session.acknowledge_at:
        _acknowledge(context, session, now)
    else:
        session.client.tick(now)
        context.flush(session)
        if session.client.state is State.CLOSED:
            context.forget_session(session)


def _acknowledge_if_due(context: Context, session: Session, now: float) -> None:
    context.partial.setdefault(session)
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
    session.forget_owned()
    session.client.acknowledge(now)
    if greeting := session.opening.greeting():
        session.client.send(greeting, now)
    context.flush(session)


def _route(context: Context, session: Session, request: Request, now: float) -> None:
    session.acknowledge_at = None
    context.partial.pop(session, None)
    session.request = request
    if session.account is not None:
        session.account.ask(session.flow, session.service, request, now if session.resumed else session.started)
    # The rules in force decide, not those that the connection began with.
    session.service = context.services.get(session.flow.vip, session.service)
    proceed(context, session, deciding.decide(context, session.service, session.flow, request, now), now)


def proceed(context: Context, session: Session, decision: Route | Answer | None, now: float) -> None:
    """Do what was decided on the session's request; None: close."""
    if decision is None or isinstance(decision, Answer):
        answering.answer(context, session, decision, now)
        return
    assert session.request is not None
    session.course = pivots.course(session.request, session.service.pivot)
    if session.account is not None:
        session.account.measure(session.request, session.course)
    preparing.prepare(context, session, decision, now, close=session.course is Course.UNKNOWN)
    session.move(Event.ROUTED)
    connecting.start(context, session, now)
    # After its own turn: those that are given away follow.
    if admission := context.admissions.of(session, decision, now):
        context.outcome.admissions.append(admission)
