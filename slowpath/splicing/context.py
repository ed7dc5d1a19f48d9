"""The state that all steps of the splicing engine share: sessions, secrets, counters, and the work collected so far."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from fastpath import frame
from fastpath.frame import Action, InjectFlags
from fastpath.interface import Admitted
from fastpath.records import SynCookies, Tuple4
from slowpath.accesslog.entry import Ended, Journal
from slowpath.limiting.clients import ClientPrefix
from slowpath.limiting.rate import Rate, RateLimit
from slowpath.limiting.resets import ResetLimit
from slowpath.splicing.accounting import NOTHING, Settlement
from slowpath.splicing.activity import UNKNOWN, Activity
from slowpath.splicing.admissions import Admissions
from slowpath.splicing.junction import Junction
from slowpath.splicing.observer import UNOBSERVED, Observer
from slowpath.splicing.outcome import NOTHING_TO_DO, Outcome
from slowpath.splicing.phases import Event, Phase
from slowpath.splicing.precedents import Precedents
from slowpath.splicing.recurrence import Labels
from slowpath.splicing.rest import REST_AFTER, Rest
from slowpath.splicing.service import Pool, Service
from slowpath.splicing.session import Session
from slowpath.splicing.sources import Sources
from slowpath.splicing.statistics import Statistics
from slowpath.splicing.timers import Timers
from slowpath.tcp.connection import Connection
from slowpath.wire import sequence as seq
from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from slowpath.wire.tcp import Segment

_ICMP_ERRORS = Rate(per_second=20, burst=50)
"""What is sent of them about the connections of one client (RFC 1812 section 4.3.2.8, RFC 4443 section 2.4 (f))."""

_AGAIN_AFTER = 0.01
"""Seconds to the next turn of a connection whose step has left something due: a defect would repeat it without end."""


class Context:
    """Tables and collectors of one splicing engine; the steps in the sibling modules work on it."""

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
        self.services: dict[Endpoint, Service] = {service.endpoint: service for service in services}
        self.sources = sources
        self.cookies = cookies
        self.statistics = Statistics()
        self.observer = observer
        self.activity = activity
        self.journal = journal
        """The access log, if there is one: without it no connection has an account."""
        self.connections: dict[bytes, Session | Junction] = {}
        """By the 4-tuple of client packets, and of server packets while there is a server, but for those at rest."""
        self.rest = Rest(rest_after)
        """The junctions that nothing goes on about."""
        self.waiting: dict[Pool, dict[Session, float]] = {}
        """The queues that somebody is in, each in its order, and since when."""
        self.freed = False
        """Whether a server that somebody may wait for was full, and has room now."""
        self.partial: OrderedDict[Session, None] = OrderedDict()
        """Sessions that wait for a request or the rest of one, but for those whose first segment has just come; the
        oldest first."""
        self.sessions = 0
        """How many have yet to be joined or answered."""
        self.junctions = 0
        """How many are joined."""
        self.splices = 0
        """How many of those the fast path forwards."""
        self.outcome = Outcome()
        self.labels = Labels()
        self.precedents = Precedents(self.labels)
        self.admissions = Admissions(self.labels)
        self.icmp_limit = RateLimit(_ICMP_ERRORS, ClientPrefix())
        self._resets = ResetLimit(cookies.keys[0])
        self._timers = Timers()
        """By 4-tuple, as a joined session would otherwise stay in memory until its last timeout has passed."""

    def take_outcome(self) -> Outcome:
        """The work collected since the last call."""
        outcome = self.outcome
        if not outcome:
            return NOTHING_TO_DO
        self.outcome = Outcome()
        self.statistics.packets_out += len(outcome.frames) + len(outcome.farewells)
        return outcome

    # Sending

    def send(self, segments: Iterable[Segment], flags: InjectFlags = InjectFlags.NONE) -> None:
        """Route segments of our own to their destinations."""
        self.outcome.frames += [frame.encode(tcp.build(segment), Action.ROUTE, flags=flags) for segment in segments]

    def flush(self, session: Session) -> None:
        """Send what the session's connections left in their outboxes."""
        if session.client.outbox:
            self._empty(session.client, InjectFlags.NONE)
        if session.server is not None and session.server.outbox:
            self._empty(session.server, InjectFlags.EXPECT_REPLY)

    def _empty(self, connection: Connection, flags: InjectFlags) -> None:
        self.send(connection.outbox, flags)
        connection.outbox.clear()

    def refuse(self, segment: Segment, reason: str, now: float) -> None:
        """Count a segment that belongs nowhere and answer it with a RST (RFC 9293 section 3.10.7.1), within limits."""
        self.statistics.drops[reason] += 1
        if segment.flags & tcp.RST:
            return
        if not self._resets.take(now):
            self.statistics.resets_withheld += 1
            return
        if segment.flags & tcp.ACK:
            sequence, ack, flags = segment.acknowledgment, 0, tcp.RST
        else:
            sequence, ack, flags = 0, seq.add(segment.sequence, segment.length), tcp.RST | tcp.ACK
        self.send([Segment(segment.destination, segment.source, sequence, ack, flags, 0, Options())])

    # Connections

    def find(self, key: bytes, now: float) -> Session | Junction | None:
        """The connection with packets of this 4-tuple (`slowpath.wire.four_tuple`); one at rest is woken."""
        connection = self.connections.get(key)
        if connection is not None:
            return connection
        junction = self.rest.wake(key, now)
        if junction is not None:
            self._enter(junction)
        return junction

    def find_admitted(self, match: Tuple4, now: float) -> Junction | None:
        """The connection with packets of this 4-tuple that the fast path has opened, which hands it over."""
        admitted = self.activity.hand_over(match)
        if admitted is None:
            return None
        return self.take_in(admitted, now)

    def knows(self, key: bytes) -> bool:
        """Whether there is a connection with packets of this 4-tuple."""
        return key in self.connections or key in self.rest

    def rest_idle(self, now: float) -> None:
        """Put to rest what has been idle for long enough."""
        for junction in self.rest.idle(now):
            key, reply_key = junction.key, junction.reply_key
            del self.connections[key], self.connections[reply_key]
            self.rest.put(junction, key, reply_key)

    def _enter(self, junction: Junction) -> None:
        self.connections[junction.key] = self.connections[junction.reply_key] = junction

    def add(self, session: Session) -> None:
        """Enter a new session under the 4-tuple of its client's packets."""
        self.connections[session.key] = session
        self.sessions += 1

    def join(self, session: Session, junction: Junction) -> None:
        """Put a junction in the place of its session."""
        session.move(Event.JOINED)
        self.sessions -= 1
        self.junctions += 1
        self._enter(junction)

    def take_in(self, admitted: Admitted, now: float) -> Junction:
        """Go on with a connection that the fast path has opened."""
        junction = self.admissions.junction(admitted, now)
        assert junction.member is not None
        junction.member.connections += 1
        junction.touched = now
        self.junctions += 1
        self.splices += 1
        self._enter(junction)
        self.rest.watch(junction, now)
        return junction

    def withdraw(self, junction: Junction) -> None:
        """The server is left: the fast path gives the connection up, if it has it."""
        if junction.phase is Phase.SPLICED:
            self.outcome.withdraw.append(junction.flow)
            self.splices -= 1
        junction.move(Event.LEFT)

    def part(self, junction: Junction, now: float) -> None:
        """The server is gone: nothing is left of the junction, whose client goes on."""
        if junction.member is not None:
            self.observer.ended(junction.member, now - junction.connect_started, now, reset=False)
        self.junctions -= 1
        self._release(junction)

    def leave_server(self, session: Session) -> None:
        """Drop the session's server: its packets are no longer expected."""
        if session.reply_key is not None:
            self._remove(session.reply_key, session)
        session.server = session.reply_key = None
        self.release_member(session)

    def release_member(self, connection: Session | Junction) -> None:
        """The server has one connection less."""
        member = connection.member
        if member is not None:
            member.connections -= 1
            connection.member = None
            if self.waiting and member.connections == member.max_connections - 1:
                self.freed = True

    def release_slot(self, connection: Session | Junction) -> None:
        """The client has one connection less."""
        if connection.slot is not None:
            connection.slot.release()
            connection.slot = None

    def enqueue(self, session: Session, now: float) -> None:
        """Put a session at the end of its pool's queue."""
        assert session.pool is not None
        session.move(Event.QUEUED)
        self.waiting.setdefault(session.pool, {})[session] = now
        self.statistics.queued[session.pool.name] += 1

    def leave_queue(self, session: Session) -> None:
        """Take a session out of its pool's queue, if it is in there."""
        if session.phase is not Phase.QUEUED:
            return
        assert session.pool is not None
        queue = self.waiting[session.pool]
        del queue[session]
        if not queue:
            del self.waiting[session.pool]

    def abandon(self, session: Session, ended: Ended, now: float) -> None:
        """End the account of a session that gets neither server nor answer, if it has one."""
        account, session.account = session.account, None
        if account is not None and self.journal is not None:
            if session.pool is not None and account.entries:
                account.entries[-1].pool = session.pool.name
            account.end(ended, now)
            account.settle(self.journal, None)

    def forget_session(self, session: Session) -> None:
        """End a session that was not joined."""
        if session.phase is Phase.GONE:
            return
        self.sessions -= 1
        self.leave_queue(session)
        self.leave_server(session)
        self.release_slot(session)
        self.partial.pop(session, None)
        if session.source is not None:
            self.sources.give_back(session.source)
        self._remove(session.key, session)
        session.move(Event.FORGOTTEN)

    def forget_junction(self, junction: Junction) -> None:
        """End a junction; its record, if any, goes, too."""
        if junction.phase is Phase.GONE:
            return
        self.junctions -= 1
        if junction.closing is None and junction.phase is not Phase.LEAVING:
            self.outcome.remove.append(junction.flow)
            self.splices -= junction.phase is not Phase.JOINING
        self.release_slot(junction)
        self._release(junction)

    def settle(self, junction: Junction, ended: Ended, now: float) -> None:
        """End the account of a junction, if it has one."""
        account, junction.account = junction.account, None
        if account is None or self.journal is None:
            return
        account.end(ended, now)
        if junction.closing is None:
            self.outcome.ended.append(Settlement(junction.flow, account))
        else:
            account.settle(self.journal, NOTHING)

    def _release(self, junction: Junction) -> None:
        self.release_member(junction)
        self.sources.give_back(junction.splice.source)
        self._remove(junction.key, junction)
        self._remove(junction.reply_key, junction)
        junction.move(Event.FORGOTTEN)

    def _remove(self, key: bytes, connection: Session | Junction) -> None:
        if self.connections.get(key) is connection:
            del self.connections[key]

    # Timers

    def schedule(self, connection: Session | Junction, seen: float = 0.0) -> None:
        """Make sure that the connection is looked at by its next deadline; what was due at `seen` has had its turn."""
        deadline = connection.next_deadline
        if deadline is None:
            return
        if deadline <= seen:
            deadline = seen + _AGAIN_AFTER
        if connection.scheduled is None or deadline < connection.scheduled:
            connection.scheduled = deadline
            self._timers.add(deadline, connection.key)

    def due(self, now: float) -> Session | Junction | None:
        """Take a connection whose deadline has come; it is to be scheduled anew after its step."""
        while (timer := self._timers.take(now)) is not None:
            deadline, key = timer
            connection = self.connections.get(key)
            if connection is None or connection.scheduled != deadline:
                continue  # It has ended or come to rest, or was put off.
            connection.scheduled = None
            next_deadline = connection.next_deadline
            if next_deadline is not None and next_deadline <= now:
                return connection
            self.schedule(connection, seen=now)
        return None

    @property
    def next_deadline(self) -> float | None:
        """When `due` or `rest_idle` may have something to do."""
        resting, timer = self.rest.next_deadline, self._timers.next
        if timer is None or resting is None:
            return resting if timer is None else timer
        return min(timer, resting)
