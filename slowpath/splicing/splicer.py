"""The splicing engine: punted packets in, frames and splices out; no I/O (design section 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from fastpath.frame import Punt
from fastpath.interface import Closed, Idle
from fastpath.records import SynCookies, Tuple4
from slowpath.splicing import answering, connecting, handshake, joined, reading
from slowpath.splicing.context import Context
from slowpath.splicing.outcome import Outcome
from slowpath.splicing.phases import Phase
from slowpath.splicing.service import Service
from slowpath.splicing.session import Session
from slowpath.splicing.sources import Sources
from slowpath.splicing.statistics import Statistics
from slowpath.tcp.states import State
from slowpath.wire import tcp
from slowpath.wire.tcp import Segment

_Step = Callable[[Context, Session, Punt, Segment, float], None]
_Tick = Callable[[Context, Session, float], None]

_FROM_CLIENT: dict[Phase, _Step] = {
    Phase.READING: reading.receive,
    Phase.CONNECTING: connecting.receive_from_client,
    Phase.SENDING: connecting.receive_from_client,
    Phase.JOINING: joined.receive_from_client,
    Phase.SPLICED: joined.receive_from_client,
    Phase.RELAYED: joined.receive_from_client,
    Phase.ANSWERING: answering.receive,
    Phase.LINGERING: joined.receive_from_client,
}
_FROM_SERVER: dict[Phase, _Step] = {
    Phase.CONNECTING: connecting.receive_from_server,
    Phase.SENDING: connecting.receive_from_server,
    Phase.JOINING: joined.receive_from_server,
    Phase.SPLICED: joined.receive_from_server,
    Phase.RELAYED: joined.receive_from_server,
    Phase.LINGERING: joined.receive_from_server,
}
_TICK: dict[Phase, _Tick] = {
    Phase.READING: reading.tick,
    Phase.CONNECTING: connecting.tick,
    Phase.SENDING: connecting.tick,
    Phase.ANSWERING: answering.tick,
    Phase.LINGERING: lambda context, session, now: context.forget(session),
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

    def sessions(self) -> list[Session]:
        """The live sessions, each once."""
        return list({id(session): session for session in self._context.sessions.values()}.values())

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
        session = context.sessions.get(Tuple4(segment.source, segment.destination))
        if session is not None and segment.source != session.flow.client:
            from_server = True
        else:
            from_server = session is not None and segment.destination != session.flow.vip
        if session is not None and not from_server and segment.flags & tcp.SYN and _may_start_afresh(session):
            context.forget(session)
            session = None
        if session is None:
            service = context.services.get(segment.destination)
            if service is None:
                context.refuse(segment, "no_connection")
            else:
                handshake.receive(context, service, punt, segment, now)
            return
        step = (_FROM_SERVER if from_server else _FROM_CLIENT)[session.phase]
        step(context, session, punt, segment, now)
        context.schedule(session)

    def advance(self, now: float) -> None:
        """Do what has become due by `now`."""
        for session in self._context.due(now):
            tick = _TICK.get(session.phase)
            if tick is not None:
                tick(self._context, session, now)

    def installed(self, sessions: Sequence[Session], seconds: float) -> None:
        """The splices of `sessions`, handed out by an outcome, are in place; it took `seconds`."""
        self.statistics.install_seconds.observe(seconds, len(sessions))
        for session in sessions:
            if session.phase is Phase.JOINING:
                joined.installed(self._context, session)

    def refused(self, sessions: Sequence[Session], now: float) -> None:
        """The fast path has no room for the splices of `sessions`."""
        for session in sessions:
            if session.phase is Phase.JOINING:
                joined.refused(self._context, session, now)

    def closed(self, report: Closed, now: float) -> None:
        """The fast path saw the end of a splice."""
        session = self._context.sessions.get(Tuple4(*report.flow))
        if session is None or session.splice is None:
            self._context.outcome.remove.append(report.flow)
        else:
            joined.closed(self._context, session, now)

    def idle(self, report: Idle) -> None:
        """The fast path saw nothing of a splice for too long."""
        session = self._context.sessions.get(Tuple4(*report.flow))
        if session is None or session.splice is None:
            self._context.outcome.remove.append(report.flow)
        else:
            self._context.forget(session)


def _may_start_afresh(session: Session) -> bool:
    """Whether a SYN for the session's flow is a new connection on a reused port, and not a stray copy."""
    if session.phase is Phase.LINGERING:
        return True
    return session.phase is Phase.ANSWERING and session.client.state in (State.TIME_WAIT, State.LAST_ACK)
