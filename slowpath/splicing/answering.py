"""ANSWERING: the balancer's own response, over its own TCP, and a clean close."""

from __future__ import annotations

from fastpath.frame import Punt
from slowpath.accesslog.entry import Ended, Journal
from slowpath.http.answers import Answer
from slowpath.splicing.accounting import Account
from slowpath.splicing.context import Context
from slowpath.splicing.phases import Event
from slowpath.splicing.session import Session
from slowpath.tcp.states import State
from slowpath.wire.tcp import Segment


def answer(context: Context, session: Session, answer: Answer | None, now: float) -> None:
    """Tell the client `answer` in its own protocol and close, or reset; with None only close."""
    client = session.client
    session.move(Event.ANSWERED)
    context.partial.pop(session, None)
    session.acknowledge_at = None
    session.cached.clear()
    session.deadline = now + session.service.timeouts.answer
    client.withhold = False
    if answer is not None:
        head_only = session.request is not None and session.request.method == "HEAD"
        context.statistics.responses[session.service.name, answer.status] += 1
        told = session.opening.refusal(answer, head_only=head_only)
        if session.account is not None and context.journal is not None:
            _log(context.journal, session, session.account, answer.status, len(told or b""), now)
        if told is None:
            client.abort(now)
            context.flush(session)
            context.forget_session(session)
            return
        client.send(told, now)
    client.close(now)
    context.flush(session)


def _log(journal: Journal, session: Session, account: Account, status: int, sent: int, now: float) -> None:
    if not account.entries:
        account.ask(session.flow, session.service, None, session.started)
    entry = account.entries[-1]
    entry.status, entry.bytes_in, entry.bytes_out = status, len(session.received), sent
    if session.pool is not None:
        entry.pool = session.pool.name
    account.end(Ended.ANSWERED, now)
    account.settle(journal, None)


def receive(context: Context, session: Session, punt: Punt, segment: Segment, now: float) -> None:
    """Process a client packet; data is acknowledged and discarded, so that no RST overtakes the response."""
    session.client.receive(segment, now)
    session.client.inbox.take()
    _settle(context, session)


def tick(context: Context, session: Session, now: float) -> None:
    """Retransmit, or end a client that does not take the answer."""
    if session.deadline is not None and now >= session.deadline:
        session.client.abort(now)
    else:
        session.client.tick(now)
    _settle(context, session)


def _settle(context: Context, session: Session) -> None:
    """Send what there is to send, and note the end: both sides have closed, or one has reset."""
    context.flush(session)
    if session.client.state is State.CLOSED:
        context.forget_session(session)
    elif session.client.state is State.TIME_WAIT:
        session.deadline = None  # The answer was taken; what remains to wait for is the connection's own.
        context.release_slot(session)
