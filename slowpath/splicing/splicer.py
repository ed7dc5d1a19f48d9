"""The splicing engine: punted packets in, frames and splices out; no I/O (design section 3)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from fastpath.frame import Punt
from fastpath.interface import Admitted, Closed, Idle
from fastpath.records import Counters, Reason, SynCookies, Tuple4, Volume
from slowpath.accesslog.entry import Ended, Journal
from slowpath.splicing import answering, connecting, handshake, joined, path_errors, queueing, reading
from slowpath.splicing.accounting import Settlement, settle
from slowpath.splicing.activity import UNKNOWN, Activity
from slowpath.splicing.context import Context
from slowpath.splicing.junction import Junction
from slowpath.splicing.observer import UNOBSERVED, Observer
from slowpath.splicing.outcome import Outcome
from slowpath.splicing.phases import Phase
from slowpath.splicing.rest import REST_AFTER
from slowpath.splicing.search import Search, Wanted
from slowpath.splicing.service import Service
from slowpath.splicing.session import Session
from slowpath.splicing.sources import Sources
from slowpath.splicing.statistics import Statistics
from slowpath.splicing.tally import Tally, tally
from slowpath.tcp import cookie
from slowpath.tcp.cookie import Check
from slowpath.tcp.states import State
from slowpath.wire import four_tuple, tcp
from slowpath.wire import sequence as seq
from slowpath.wire.tcp import Segment

_Step = Callable[[Context, Session, Punt, Segment, float], None]
_Tick = Callable[[Context, Session, float], None]

_FROM_CLIENT: dict[Phase, _Step] = {
    Phase.READING: reading.receive,
    Phase.PARKED: reading.receive,
    Phase.QUEUED: queueing.receive,
    Phase.CONNECTING: connecting.receive_from_client,
    Phase.SENDING: connecting.receive_from_client,
    Phase.ANSWERING: answering.receive,
}
_TICK: dict[Phase, _Tick] = {
    Phase.READING: reading.tick,
    Phase.PARKED: reading.tick,
    Phase.QUEUED: queueing.tick,
    Phase.CONNECTING: connecting.tick,
    Phase.SENDING: connecting.tick,
    Phase.ANSWERING: answering.tick,
}


_ABOUT_SPLICES = frozenset({Reason.SYN, Reason.PIVOT, Reason.OPTIONS, Reason.FIN})
"""Why a packet is punted that a splice may have been found for."""


class Splicer:
    """Takes what arrives and says what to do about it; `now` is seconds of the monotonic clock.

    After each call that is given `now`, take the work with `take_outcome` and do it.
    """

    def __init__(
        self,
        services: Iterable[Service],
        sources: Sources,
        cookies: SynCookies,
        observer: Observer = UNOBSERVED,
        activity: Activity = UNKNOWN,
        journal: Journal | None = None,
        rest_after: float = REST_AFTER,
    ) -> None:
        """A connection that needs nothing for `rest_after` seconds, above 0, is put to rest."""
        self._context = Context(services, sources, cookies, observer, activity, journal, rest_after)

    @property
    def statistics(self) -> Statistics:
        """What was counted so far."""
        return self._context.statistics

    @property
    def next_deadline(self) -> float | None:
        """When to call `advance`, at the latest."""
        return self._context.next_deadline

    def connections(self) -> Collection[Session | Junction]:
        """The live connections, each once, those at rest as they would be awake: of a million it takes seconds."""
        rest = self._context.rest
        resting = [rest.packer.look(key, record) for part in rest.parts() for key, record in part.items()]
        return [*dict.fromkeys(self._context.connections.values()), *resting]

    def search(self, wanted: Wanted) -> Search:
        """Look for connections; take as many steps as you like in a row."""
        return Search(self._context, wanted)

    @property
    def connection_count(self) -> int:
        """How many connections are live."""
        return self._context.sessions + self._context.junctions

    @property
    def splice_count(self) -> int:
        """How many of them the fast path forwards."""
        return self._context.splices

    @property
    def resting_count(self) -> int:
        """How many of those are at rest, with nothing to be done here."""
        return self._context.rest.count

    @property
    def queued(self) -> dict[str, int]:
        """How many connections wait for a server with room, by pool; pools that nobody waits in are left out."""
        return {pool.name: len(queue) for pool, queue in self._context.waiting.items()}

    def tally(self, counters: Counters) -> Tally:
        """The connections and requests so far, with what the fast path has counted of its own."""
        return tally(self.statistics, self._context.labels, counters)

    def replace(self, services: Iterable[Service]) -> None:
        """Take new connections for these services; those that are open keep the service they came through."""
        self._context.services = {service.endpoint: service for service in services}
        self.revoke_precedents()

    def revoke_precedents(self) -> None:
        """Decide on each request again: it may go elsewhere now."""
        self._context.precedents.forget()
        self._context.admissions.forget()
        self._context.outcome.revoke = True

    def rotate(self, cookies: SynCookies) -> None:
        """Use new SYN cookie secrets."""
        self._context.cookies = cookies

    def take_outcome(self) -> Outcome:
        """The work collected since the last call."""
        joined.pass_on(self._context)
        return self._context.take_outcome()

    def receive(self, punt: Punt, segment: Segment, now: float) -> None:
        """Process a punted packet, given as it came and parsed."""
        context = self._context
        key = four_tuple.pack(segment.source, segment.destination)
        connection = context.find(key, now)
        if connection is None and punt.reason in _ABOUT_SPLICES:
            connection = context.find_admitted(Tuple4(segment.source, segment.destination), now)
        if connection is not None and self._starts_afresh(connection, segment):
            self._forget(connection)
            connection = None
        if connection is None:
            service = context.services.get(segment.destination)
            if service is None:
                context.refuse(segment, "no_connection", now)
            else:
                try:
                    handshake.receive(context, service, punt, segment, now)
                except Exception:
                    if (opened := context.connections.get(key)) is not None:
                        self._forget(opened)  # It has no timer yet, and would stay for ever.
                    raise
        else:
            self._step(connection, punt, segment, now)
        if context.freed:
            self.revive(now)

    def notice(self, punt: Punt, now: float) -> None:
        """Process what was punted because of the path: an ICMP error, or a packet too long for its next hop."""
        if punt.reason is Reason.ICMP:
            path_errors.receive(self._context, punt, now)
        else:
            path_errors.too_long(self._context, punt, now)

    def _step(self, connection: Session | Junction, punt: Punt, segment: Segment, now: float) -> None:
        """Process a packet of a known connection."""
        context = self._context
        if isinstance(connection, Junction):
            joined.receive(context, connection, punt, segment, now)
        elif segment.source == connection.flow.client and segment.destination == connection.flow.vip:
            _FROM_CLIENT[connection.phase](context, connection, punt, segment, now)
        else:
            connecting.receive_from_server(context, connection, punt, segment, now)
            follower = context.connections.get(connection.key)
            if isinstance(follower, Junction):
                joined.heard(context, follower, now)
        context.schedule(connection)

    def advance(self, now: float) -> None:
        """Do what has become due by `now`."""
        context = self._context
        while (connection := context.due(now)) is not None:
            try:
                if isinstance(connection, Junction):
                    joined.tick(context, connection, now)
                else:
                    _TICK[connection.phase](context, connection, now)
            except Exception:
                self._forget(connection)  # It would have no turn any more, and stay for ever.
                raise
            context.schedule(connection, seen=now)
        context.rest_idle(now)
        self.revive(now)

    def revive(self, now: float) -> None:
        """Let those who wait for a server go on: one may have come up, or have room."""
        for session, member in queueing.ready(self._context, now):
            connecting.connect(self._context, session, member, now)
            self._context.schedule(session)

    def installed(self, junctions: Sequence[Junction], seconds: float, now: float) -> None:
        """The splices of `junctions`, handed out by an outcome, are in place; it took `seconds`."""
        self.statistics.install_seconds.observe(seconds, len(junctions))
        for junction in junctions:
            joined.installed(self._context, junction, now)

    def refused(self, junctions: Sequence[Junction], now: float) -> None:
        """The fast path has no room for the splices of `junctions`."""
        for junction in junctions:
            if junction.phase is Phase.JOINING:
                joined.refused(self._context, junction, now)

    def closed(self, report: Closed, now: float) -> None:
        """The fast path saw the end of a splice."""
        connection = self._context.find(four_tuple.pack(report.flow[0], report.flow[1]), now)
        if isinstance(connection, Junction):
            joined.closed(self._context, connection, now, report.by, reset=report.reset)
        else:
            self._context.outcome.remove.append(report.flow)
        if self._context.freed:
            self.revive(now)

    def admitted(self, report: Admitted, now: float) -> None:
        """The fast path has opened a connection by itself, which has lasted for a while."""
        self._context.take_in(report, now)

    def settle(self, ended: Sequence[Settlement], carried: Sequence[tuple[Volume, Volume] | None]) -> None:
        """What the splices of `ended`, handed out by an outcome, have carried (`FastPath.traffic`)."""
        if self._context.journal is not None:
            settle(self._context.journal, ended, carried)

    def log_open(self, now: float) -> None:
        """The balancer stops: end the accounts of the connections that are still open."""
        if self._context.journal is None:
            return
        # Those at rest keep their accounts, which have no lines any more then.
        for connection in self.connections():
            if isinstance(connection, Junction):
                self._context.settle(connection, Ended.STOPPED, now)
            else:
                self._context.abandon(connection, Ended.STOPPED, now)

    def idle(self, report: Idle, now: float) -> None:
        """The fast path saw nothing of a splice for too long."""
        connection = self._context.find(four_tuple.pack(report.flow[0], report.flow[1]), now)
        if isinstance(connection, Junction):
            self._context.settle(connection, Ended.IDLE, now)
            self._context.forget_junction(connection)
        else:
            self._context.outcome.remove.append(report.flow)
        if self._context.freed:
            self.revive(now)

    def _forget(self, connection: Session | Junction) -> None:
        if isinstance(connection, Junction):
            self._context.forget_junction(connection)
        else:
            self._context.forget_session(connection)

    def _starts_afresh(self, connection: Session | Junction, segment: Segment) -> bool:
        """Whether a client's packet belongs to a new connection on the port of an old one."""
        if isinstance(connection, Junction) and not (segment.flags & tcp.SYN and connection.phase is Phase.LINGERING):
            return False
        flow = connection.flow
        if segment.source != flow.client or segment.destination != flow.vip:
            return False
        if isinstance(connection, Junction):
            return True
        if segment.flags & tcp.SYN:
            return connection.client.state in (State.TIME_WAIT, State.LAST_ACK)
        # The fast path may have answered the SYN: then a cookie tells. Of numbers behind the session's own, which
        # it has sent, one in a thousand would pass for one.
        if connection.client.has_sent(segment.acknowledgment) or not segment.flags & tcp.ACK:
            return False
        if connection.resumed and seq.before(segment.sequence, connection.client.inbox.next):
            return False  # An old duplicate: what began with our cookie was this very connection.
        client_isn, isn = seq.add(segment.sequence, -1), seq.add(segment.acknowledgment, -1)
        return cookie.check(self._context.cookies, flow, client_isn, isn)[0] is Check.VALID
