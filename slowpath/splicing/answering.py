"""ANSWERING: the balancer's own response, over its own TCP, and a clean close."""

from __future__ import annotations

from fastpath.frame import Punt
from slowpath.splicing.context import Context
from slowpath.splicing.phases import Event
from slowpath.splicing.session import Session
from slowpath.tcp.states import State
from slowpath.wire.tcp import Segment


def answer(context: Context, session: Session, status: int | None, now: float, *, head_only: bool = False) -> None:
    """Send the response with `status` and close; with None only close."""
    client = session.client
    session.move(Event.ANSWERED)
    session.acknowledge_at = None
    session.cached.clear()
    session.deadline = now + session.service.timeouts.answer
    client.withhold = False
    if status is not None:
        context.statistics.responses[session.service.name, status] += 1
        client.send(session.service.protocol.refusal(status, head_only=head_only), now)
    client.close(now)
    context.flush(session)


def receive(context: Context, session: Session, punt: Punt, segment: Segment, now: float) -> None:
    """Process a client packet; data is acknowledged and discarded, so that no RST overtakes the response."""
    session.client.receive(segment, now)
    session.client.inbox.take()
    context.flush(session)
    if session.client.state is State.CLOSED:
        context.forget_session(session)


def tick(context: Context, session: Session, now: float) -> None:
    """Retransmit, or end a client that does not take the answer."""
    if session.deadline is not None and now >= session.deadline and session.client.state is not State.TIME_WAIT:
        session.client.abort(now)
    else:
        session.client.tick(now)
    context.flush(session)
    if session.client.state is State.CLOSED:
        context.forget_session(session)
