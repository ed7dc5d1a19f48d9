"""CONNECTING and SENDING: find a server that accepts, deliver what we own, and join the two connections."""

from __future__ import annotations

from fastpath.frame import Punt
from fastpath.records import Splice
from slowpath.accesslog.entry import Ended
from slowpath.balancing.member import Member
from slowpath.http.answers import standard
from slowpath.splicing import answering, choosing, pivots, precedents, queueing, upgrading
from slowpath.splicing.context import Context
from slowpath.splicing.junction import Held, Junction
from slowpath.splicing.phases import Event, Phase
from slowpath.splicing.pivots import Course
from slowpath.splicing.session import Session
from slowpath.splicing.terms import methods, terms
from slowpath.tcp.connection import Connection
from slowpath.tcp.states import State
from slowpath.wire import four_tuple, tcp
from slowpath.wire import sequence as seq
from slowpath.wire.options import Options
from slowpath.wire.tcp import Segment

_SERVER_RTO = 0.2
_FAILURE_STATUS = {"refused": 502, "reset": 502, "options": 502, "timeout": 504}


def start(context: Context, session: Session, now: float) -> None:
    """Connect to a server of the session's pool, wait for one with room, or answer that there is none."""
    assert session.pool is not None
    member = choosing.choose(context, session, now)
    if member is None:
        answering.answer(context, session, standard(session.failure), now)
    elif member.full:
        queueing.wait(context, session, now)
    else:
        connect(context, session, member, now)


def connect(context: Context, session: Session, member: Member, now: float) -> None:
    """Connect to `member`, which was chosen for the session."""
    assert session.source is not None
    syn = _syn(session, member, now)
    session.member = member
    member.connections += 1
    if session.account is not None:
        session.account.entries[-1].server = member.endpoint
    server = Connection.connecting(syn, now, rto=_SERVER_RTO, receive_limit=syn.window)
    server.withhold = True
    server.fixed_tsval = syn.options.timestamps[0] if syn.options.timestamps else None
    session.server = server
    session.reply_key = reply_key = four_tuple.pack(member.endpoint, session.source)
    context.connections[reply_key] = session
    session.connect_started = now
    context.observer.connecting(member, now)
    session.deadline = now + session.service.timeouts.connect
    context.flush(session)


def receive_from_client(context: Context, session: Session, punt: Punt, segment: Segment, now: float) -> None:
    """Cache the client's packet; a RST ends both sides."""
    session.client.receive(segment, now)
    session.client.inbox.take()
    if session.client.state is State.CLOSED:
        _abandon_server(context, session, now)
        context.abandon(session, Ended.CLIENT_RESET, now)
        context.forget_session(session)
        return
    session.cache(punt, segment)
    context.flush(session)


def receive_from_server(context: Context, session: Session, punt: Punt, segment: Segment, now: float) -> None:
    """Process a packet of the server that we are connecting to."""
    server = session.server
    assert server is not None
    server.receive(segment, now)
    if server.state is State.CLOSED:
        _failed(context, session, "refused" if session.phase is Phase.CONNECTING else "reset", now)
        return
    if session.phase is Phase.CONNECTING and server.state is not State.SYN_SENT:
        _accepted(context, session, server, now)
    elif session.phase is Phase.SENDING:
        session.cache_reply(punt, segment)
        if server.all_acked:
            _join(context, session, server)
    context.flush(session)


def tick(context: Context, session: Session, now: float) -> None:
    """Give up on the server, or retransmit."""
    server = session.server
    assert server is not None
    if session.deadline is not None and now >= session.deadline:
        _abandon_server(context, session, now)
        _failed(context, session, "timeout", now)
        return
    server.tick(now)
    session.client.tick(now)  # It may not have acknowledged a greeting.
    context.flush(session)
    if server.state is State.CLOSED:
        _failed(context, session, "timeout", now)


def _syn(session: Session, member: Member, now: float) -> Segment:
    """The client's own SYN, as far as we know it; what is inserted comes before its first byte (design section 2)."""
    agreed, first = session.agreed, session.first
    assert session.source is not None
    stamps = (first.options.timestamps[0], 0) if agreed.timestamps and first.options.timestamps else None
    options = Options(mss=agreed.mss, window_scale=agreed.window_scale, sack_permitted=agreed.sack, timestamps=stamps)
    window = min(first.window << (agreed.window_scale or 0), 0xFFFF)
    flags = tcp.SYN | (tcp.ECE | tcp.CWR if agreed.ecn else 0)
    isn = seq.add(session.client_isn, -session.inserted)
    return Segment(session.source, member.endpoint, isn, 0, flags, window, options)


def _accepted(context: Context, session: Session, server: Connection, now: float) -> None:
    seconds = now - session.connect_started
    context.statistics.connect_seconds.observe(seconds)
    if not _fits(session, server):
        server.abort(now)
        context.flush(session)
        _failed(context, session, "options", now)
        return
    assert session.member is not None
    context.observer.connected(session.member, seconds, now)
    if session.account is not None:
        session.account.entries[-1].connect = seconds
    if delivery := session.delivery:
        session.move(Event.ACCEPTED)
        session.deadline = None  # The connection itself gives up on a server that does not acknowledge.
        server.send(delivery, now)
    else:
        _join(context, session, server)


def _fits(session: Session, server: Connection) -> bool:
    """Whether the server can keep what we promised the client: nothing on the way could translate the difference."""
    assert server.syn_ack is not None
    given, agreed = server.syn_ack.options, session.agreed
    if agreed.timestamps and given.timestamps is None:
        return False
    if agreed.window_scale is None:
        return True
    # The client shifts by what we offered: a larger shift only understates the server's window.
    return given.window_scale is not None and given.window_scale >= session.client.parameters.receive_scale


def _join(context: Context, session: Session, server: Connection) -> None:
    """Both ends agree: from here on every number of the one follows from the other's (design section 2)."""
    assert session.pool is not None and session.member is not None and session.source is not None
    assert server.syn_ack is not None
    stamps = server.syn_ack.options.timestamps if session.agreed.timestamps else None
    start = seq.add(session.client_isn, 1)
    request, pivot = session.request, None
    if request is not None and session.course in (Course.REQUEST, Course.AGREEMENT):
        pivot = seq.add(start, pivots.end(request))
    splice = Splice(
        flow=session.flow,
        server=session.member.endpoint,
        server_id=session.member.id,
        source=session.source,
        # From where the server's stream follows ours: behind a greeting, if there was one.
        delta=seq.add(session.client.snd_una, -seq.add(server.parameters.irs, 1)),
        timestamp_delta=0 if stamps is None else seq.add(session.client.last_tsval, -stamps[0]),
        pivot=pivot,
        follows_precedents=pivot is not None
        and session.account is None
        and session.course is Course.REQUEST
        and precedents.may_be_followed(session.service, session.pool),
    )
    cached = session.undelivered()
    if session.phase is Phase.CONNECTING and (session.resumed or not cached):
        # A silent client has no packet that would complete the server's handshake; and one that comes from another
        # server echoes an earlier time than that of the SYN-ACK, which is no ACK of it to some.
        context.send([confirmation(server.syn_ack, seq.add(start, session.owned), session.first.window)])
    junction = Junction(
        splice,
        session.service,
        session.pool,
        session.member,
        session.started,
        cached,
        key=session.key,
        reply_key=session.reply_key or b"",
        connect_started=session.connect_started,
        server_start=seq.add(server.parameters.irs, 1),
    )
    junction.slot, session.slot = session.slot, None
    if (account := session.account) is not None:
        account.entries[-1].pool = session.pool.name
        account.joined(session.owned, seq.difference(session.client.snd_una, seq.add(session.client.parameters.iss, 1)))
        junction.account = account
    if request is not None and pivot is not None:
        junction.terms = terms(session.agreed, session.client.parameters.receive_scale)
        junction.request_start, junction.response_start = start, seq.add(session.client.parameters.iss, 1)
        junction.asked = methods(request.method)
        if any(seq.after(end, pivot) for _, end in session.cached):
            junction.turn, junction.cached = Held(cached), []
    context.join(session, junction)
    if request is not None and session.course is Course.AGREEMENT:
        upgrading.start(context, junction, request)
    else:
        context.outcome.install.append(junction)


def confirmation(syn_ack: Segment, sequence: int, window: int) -> Segment:
    """The ACK that completes a server's handshake, from our `sequence` on, with the unscaled `window`."""
    stamps = syn_ack.options.timestamps
    options = Options() if stamps is None else Options(timestamps=(stamps[1], stamps[0]))
    ack = seq.add(syn_ack.sequence, 1)
    return Segment(syn_ack.destination, syn_ack.source, sequence, ack, tcp.ACK, window, options)


def _abandon_server(context: Context, session: Session, now: float) -> None:
    if session.server is not None:
        session.server.abort(now)
        context.flush(session)


def _failed(context: Context, session: Session, reason: str, now: float) -> None:
    """Count the failure, and try the next server while the client knows nothing."""
    assert session.pool is not None and session.member is not None
    context.statistics.connect_failures[session.pool.name, reason] += 1
    context.observer.failed(session.member, reason, now)
    session.failure = _FAILURE_STATUS[reason]
    context.leave_server(session)
    if session.phase is Phase.CONNECTING:
        start(context, session, now)
    else:
        answering.answer(context, session, standard(session.failure), now)
