"""The state that all steps of the splicing engine share: sessions, secrets, counters, and the work collected so far."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from itertools import count
from weakref import ref

from fastpath import frame
from fastpath.frame import Action, InjectFlags
from fastpath.records import SynCookies, Tuple4
from slowpath.splicing.junction import Junction
from slowpath.splicing.outcome import Outcome
from slowpath.splicing.phases import Event, Phase
from slowpath.splicing.service import Service
from slowpath.splicing.session import Session
from slowpath.splicing.sources import Sources
from slowpath.splicing.statistics import Statistics
from slowpath.tcp.connection import Connection
from slowpath.wire import sequence as seq
from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from slowpath.wire.tcp import Segment


class Context:
    """Tables and collectors of one splicing engine; the steps in the sibling modules work on it."""

    def __init__(self, services: Iterable[Service], sources: Sources, cookies: SynCookies) -> None:
        self.services: dict[Endpoint, Service] = {service.endpoint: service for service in services}
        self.sources = sources
        self.cookies = cookies
        self.statistics = Statistics()
        self.connections: dict[Tuple4, Session | Junction] = {}
        """By the 4-tuple of client packets, and of server packets while there is a server."""
        self.sessions = 0
        """How many have yet to be joined or answered."""
        self.junctions = 0
        """How many are joined."""
        self.splices = 0
        """How many of those the fast path forwards."""
        self.outcome = Outcome()
        # Weak, as a joined session would otherwise stay in memory until its last timeout has passed.
        self._timers: list[tuple[float, int, ref[Session | Junction]]] = []
        self._order = count()

    def take_outcome(self) -> Outcome:
        """The work collected since the last call."""
        outcome, self.outcome = self.outcome, Outcome()
        self.statistics.packets_out += len(outcome.frames)
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

    def refuse(self, segment: Segment, reason: str) -> None:
        """Count a segment that belongs nowhere and answer it with a RST (RFC 9293 section 3.10.7.1)."""
        self.statistics.drops[reason] += 1
        if segment.flags & tcp.RST:
            return
        if segment.flags & tcp.ACK:
            sequence, ack, flags = segment.acknowledgment, 0, tcp.RST
        else:
            sequence, ack, flags = 0, seq.add(segment.sequence, segment.length), tcp.RST | tcp.ACK
        self.send([Segment(segment.destination, segment.source, sequence, ack, flags, 0, Options())])

    # Connections

    def add(self, session: Session) -> None:
        """Enter a new session under the 4-tuple of its client's packets."""
        self.connections[Tuple4(*session.flow)] = session
        self.sessions += 1

    def join(self, session: Session, junction: Junction) -> None:
        """Put a junction in the place of its session, and have its splice installed."""
        session.move(Event.JOINED)
        self.sessions -= 1
        self.junctions += 1
        self.connections[Tuple4(*junction.flow)] = self.connections[junction.reply_key] = junction
        self.outcome.install.append(junction)

    def leave_server(self, session: Session) -> None:
        """Drop the session's server: its packets are no longer expected."""
        if session.reply_key is not None:
            self._remove(session.reply_key, session)
        session.server = None
        self.release_member(session)

    def release_member(self, connection: Session | Junction) -> None:
        """The server has one connection less."""
        if connection.member is not None:
            connection.member.connections -= 1
            connection.member = None

    def forget_session(self, session: Session) -> None:
        """End a session that was not joined."""
        if session.phase is Phase.GONE:
            return
        self.sessions -= 1
        self.leave_server(session)
        if session.source is not None:
            self.sources.give_back(session.source)
        self._remove(Tuple4(*session.flow), session)
        session.move(Event.FORGOTTEN)

    def forget_junction(self, junction: Junction) -> None:
        """End a junction; its record, if any, goes, too."""
        if junction.phase is Phase.GONE:
            return
        self.junctions -= 1
        if junction.closing is None:
            self.outcome.remove.append(junction.flow)
            self.splices -= junction.phase is not Phase.JOINING
        self.release_member(junction)
        self.sources.give_back(junction.splice.source)
        self._remove(Tuple4(*junction.flow), junction)
        self._remove(junction.reply_key, junction)
        junction.move(Event.FORGOTTEN)

    def _remove(self, key: Tuple4, connection: Session | Junction) -> None:
        if self.connections.get(key) is connection:
            del self.connections[key]

    # Timers

    def schedule(self, connection: Session | Junction) -> None:
        """Make sure that the connection is looked at by its next deadline."""
        deadline = connection.next_deadline
        if deadline is not None and (connection.scheduled is None or deadline < connection.scheduled):
            connection.scheduled = deadline
            heapq.heappush(self._timers, (deadline, next(self._order), ref(connection)))

    def due(self, now: float) -> Iterable[Session | Junction]:
        """Take the connections whose deadline has come; each is scheduled anew after its step."""
        while self._timers and self._timers[0][0] <= now:
            deadline, _, reference = heapq.heappop(self._timers)
            connection = reference()
            if connection is None or connection.scheduled != deadline or connection.phase is Phase.GONE:
                continue
            connection.scheduled = None
            next_deadline = connection.next_deadline
            if next_deadline is not None and next_deadline <= now:
                yield connection
            self.schedule(connection)

    @property
    def next_deadline(self) -> float | None:
        """When `due` may have something."""
        return self._timers[0][0] if self._timers else None
