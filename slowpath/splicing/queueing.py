"""QUEUED: every server that could serve the connection is full; it waits its turn, first come, first served."""

from __future__ import annotations

from collections.abc import Iterator

from fastpath.frame import Punt
from slowpath.accesslog.entry import Ended
from slowpath.balancing.member import Member
from slowpath.balancing.sticky import Sticky
from slowpath.http.answers import standard
from slowpath.splicing import answering, choosing
from slowpath.splicing.context import Context
from slowpath.splicing.phases import Event
from slowpath.splicing.session import Session
from slowpath.tcp.states import State
from slowpath.wire.tcp import Segment

FAILURES = ("full", "timeout", "left")
"""Why a connection that had to wait got no server: no place, no server in time, or its client gave up."""


def wait(context: Context, session: Session, now: float) -> None:
    """Put the session at the end of its pool's queue, or answer that there is no place."""
    assert session.pool is not None
    if len(context.waiting.get(session.pool, ())) >= session.pool.queue.size:
        _refuse(context, session, "full", now)
    elif session.client.inbox.finished:
        _refuse(context, session, "left", now)
    else:
        context.enqueue(session, now)
        session.deadline = now + session.pool.queue.timeout
        context.flush(session)


def receive(context: Context, session: Session, punt: Punt, segment: Segment, now: float) -> None:
    """Cache the client's packet; a FIN gives up the place, too: who leaves now would be served for nothing."""
    client = session.client
    client.receive(segment, now)
    client.inbox.take()
    if client.state is State.CLOSED:
        _count(context, session, "left")
        context.abandon(session, Ended.CLIENT_RESET, now)
        context.forget_session(session)
    elif client.inbox.finished:
        _refuse(context, session, "left", now)
    else:
        session.cache(punt, segment)
        context.flush(session)


def tick(context: Context, session: Session, now: float) -> None:
    """Give up when it has taken too long."""
    if session.deadline is not None and now >= session.deadline:
        _refuse(context, session, "timeout", now)
    else:
        session.client.tick(now)  # It may not have acknowledged a greeting.
        context.flush(session)


def ready(context: Context, now: float) -> Iterator[tuple[Session, Member]]:
    """Take the sessions out of their queues that can go on by now, and the server of each; connect before the next."""
    context.freed = False
    for pool, queue in list(context.waiting.items()):
        alike = not isinstance(pool.balancer, Sticky)
        stuck = False
        for session in list(queue):
            # What one that has tried no server yet cannot have, no other one can.
            if stuck and not session.tried:
                continue
            # A draining server counts, as sticky sessions may wait for it.
            if not any(member.alive and not member.full for member in pool.members):
                break
            member = choosing.choose(context, session, now)
            if member is not None and not member.full:
                context.statistics.queue_seconds.observe(now - queue[session])
                context.leave_queue(session)
                session.move(Event.RESUMED)
                yield session, member
            else:
                stuck |= alike and not session.tried


def _refuse(context: Context, session: Session, why: str, now: float) -> None:
    _count(context, session, why)
    context.leave_queue(session)
    answering.answer(context, session, standard(503), now)


def _count(context: Context, session: Session, why: str) -> None:
    assert session.pool is not None
    context.statistics.queue_failures[session.pool.name, why] += 1
