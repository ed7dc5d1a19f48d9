"""Which server of its pool a session goes to."""

from __future__ import annotations

from slowpath.balancing.member import Member
from slowpath.splicing.context import Context
from slowpath.splicing.junction import Junction
from slowpath.splicing.phases import Phase
from slowpath.splicing.session import Session
from slowpath.wire import four_tuple


def choose(context: Context, session: Session, now: float) -> Member | None:
    """The pool's choice among the servers that were not tried, for which there is a source and whose 4-tuple is free.

    It may be full: then all are that the session could go to, and it has to wait.
    """
    assert session.pool is not None and session.request is not None
    while (member := session.pool.choose(session.flow.client, session.request, session.tried, now)) is not None:
        if member.full:
            return member
        session.tried.add(member.id)
        if not _has_source(context, session, member):
            context.statistics.connect_failures[session.pool.name, "source"] += 1
            continue
        assert session.source is not None
        # One client port to two VIPs that share a server: the server cannot tell the two apart.
        if _is_free(context, four_tuple.pack(member.endpoint, session.source)):
            return member
        context.statistics.connect_failures[session.pool.name, "busy"] += 1
    return None


def _is_free(context: Context, key: bytes) -> bool:
    """Whether nobody has a server's packets of this 4-tuple; one that only lingers gives way, as its client is done."""
    holder = context.connections.get(key)
    if isinstance(holder, Junction) and holder.phase is Phase.LINGERING:
        context.forget_junction(holder)
    return not context.knows(key)


def _has_source(context: Context, session: Session, member: Member) -> bool:
    """See to it that the session has a source of the IP version of `member`; False if there is none."""
    source, server = session.source, member.endpoint
    if source is not None:
        if len(source.address) == len(server.address):
            return True
        context.sources.give_back(source)
    session.source = context.sources.take(session.flow.client, server)
    return session.source is not None
