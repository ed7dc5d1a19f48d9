"""The splicing engine: punted packets in, frames and splices out; no I/O (design section 3)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from fastpath.frame import Punt
from fastpath.interface import Closed, Idle
from fastpath.records import Flow, SynCookies, Tuple4
from slowpath.splicing import answering, connecting, handshake, joined, reading
from slowpath.splicing.context import Context
from slowpath.splicing.junction import Junction
from slowpath.splicing.outcome import Outcome
from slowpath.splicing.phases import Phase
from slowpath.splicing.service import Service
from slowpath.splicing.session import Session
from slowpath.splicing.sources import Sources
from slowpath.splicing.statistics import Statistics
from slowpath.tcp import cookie
from slowpath.tcp.cookie import Check
from slowpath.tcp.states import State
from slowpath.wire import sequence as seq
from slowpath.wire import tcp
from slowpath.wire.tcp import Segment

_Step = Callable[[Context, Session, Punt, Segment, float], None]
_Tick = Callable[[Context, Session, float], None]

_FROM_CLIENT: dict[Phase, _Step] = {
    Phase.READING: reading.receive,
    Phase.CONNECTING: connecting.receive_from_client,
    Phase.SENDING: connecting.receive_from_client,
    Phase.ANSWERING: answering.receive,
}
_TICK: dict[Phase, _Tick] = {
    Phase.READING: reading.tick,
    Phase.CONNECTING: connecting.tick,
    Phase.SENDING: connecting.tick,
    Phase.ANSWERING: answering.tick,
}


class Splicer:
    """Takes what arrives and says what to do about it; `now` is seconds of the monotonic clock.

    After each call that is given `now`, take the work with `take_outcome` and do it.
    """

    def __init__(self, services: Iterable[Service], sources: Sources, cookies: SynCookies) -> None:
        self._context = Context(services, sources, cookies)

    @property
    def statistics(self) -> Statistics:
        """What was counted so far."""
        return self._context.statistics

    @property
    def next_deadline(self) -> float | None:
        """When to call `advance`, at the latest."""
        return self._context.next_deadline

    def connections(self) -> Collection[Session | Junction]:
        """The live connections, each once."""
        by_flow = {connection.flow: connection for connection in self._context.connections.values()}
        return by_flow.values()

    @property
    def connection_count(self) -> int:
        """How many connections are live."""
        return self._context.sessions + self._context.junctions

    @property
    def splice_count(self) -> int:
        """How many of them the fast path forwards."""
        return self._context.splices

    def replace(self, services: Iterable[Service]) -> None:
        """Take new connections for these services; those that are open keep the service they came through."""
        self._context.services = {service.endpoint: service for service in services}

    def rotate(self, cookies: SynCookies) -> None:
        """Use new SYN cookie secrets."""
        self._context.cookies = cookies

    def take_outcome(self) -> Outcome:
        """The work collected since the last call."""
        return self._context.take_outcome()

    def receive(self, punt: Punt, segment: Segment, now: float) -> None:
        """Process a punted packet, given as it came and parsed."""
        context = self._context
        connection = context.connections.get(Tuple4(segment.source, segment.destination))
        if connection is not None and self._starts_afresh(connection, segment):
            self._forget(connection)
            connection = None
        if connection is None:
            service = context.services.get(segment.destination)
            if service is None:
                context.refuse(segment, "no_connection")
            else:
                handshake.receive(context, service, punt, segment, now)
            return
        if isinstance(connection, Junction):
            joined.receive(context, connection, punt, segment, now)
        elif segment.source == connection.flow.client and segment.destination == connection.flow.vip:
            _FROM_CLIENT[connection.phase](context, connection, punt, segment, now)
        else:
            connecting.receive_from_server(context, connection, punt, segment, now)
        context.schedule(connection)

    def advance(self, now: float) -> None:
        """Do what has become due by `now`."""
        for connection in self._context.due(now):
            if isinstance(connection, Junction):
                self._context.forget_junction(connection)
            else:
                _TICK[connection.phase](self._context, connection, now)

    def installed(self, junctions: Sequence[Junction], seconds: float) -> None:
        """The splices of `junctions`, handed out by an outcome, are in place; it took `seconds`."""
        self.statistics.install_seconds.observe(seconds, len(junctions))
        for junction in junctions:
            if junction.phase is Phase.JOINING:
                joined.installed(self._context, junction)

    def refused(self, junctions: Sequence[Junction], now: float) -> None:
        """The fast path has no room for the splices of `junctions`."""
        for junction in junctions:
            if junction.phase is Phase.JOINING:
                joined.refused(self._context, junction, now)

    def closed(self, report: Closed, now: float) -> None:
        """The fast path saw the end of a splice."""
        connection = self._context.connections.get(Tuple4(*report.flow))
        if isinstance(connection, Junction):
            joined.closed(self._context, connection, now)
        else:
            self._context.outcome.remove.append(report.flow)

    def idle(self, report: Idle) -> None:
        """The fast path saw nothing of a splice for too long."""
        connection = self._context.connections.get(Tuple4(*report.flow))
        if isinstance(connection, Junction):
            self._context.forget_junction(connection)
        else:
            self._context.outcome.remove.append(report.flow)

    def _forget(self, connection: Session | Junction) -> None:
        if isinstance(connection, Junction):
            self._context.forget_junction(connection)
        else:
            self._context.forget_session(connection)

    def _starts_afresh(self, connection: Session | Junction, segment: Segment) -> bool:
        """Whether a client's packet belongs to a new connection on the port of an old one."""
        flow = Flow(segment.source, segment.destination)
        if flow != connection.flow:
            return False
        if isinstance(connection, Junction):
            return bool(segment.flags & tcp.SYN) and connection.phase is Phase.LINGERING
        if segment.flags & tcp.SYN:
            return connection.client.state in (State.TIME_WAIT, State.LAST_ACK)
        # The fast path may have answered the SYN: then a cookie that is not the session's tells.
        isn = seq.add(segment.acknowledgment, -1)
        if isn == connection.client.parameters.iss or not segment.flags & tcp.ACK:
            return False
        client_isn = seq.add(segment.sequence, -1)
        return cookie.check(self._context.cookies, flow, client_isn, isn)[0] is Check.VALID
