"""A client that is between two servers becomes a session again, where its next request starts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from fastpath.frame import Punt
from slowpath.accesslog.entry import Journal
from slowpath.http.answers import Answer
from slowpath.request import Request
from slowpath.routing.router import Route
from slowpath.splicing import handshake, reading, relaying
from slowpath.splicing.accounting import Account
from slowpath.splicing.context import Context
from slowpath.splicing.junction import Junction
from slowpath.splicing.openings import Opening
from slowpath.splicing.phases import Event
from slowpath.splicing.session import Session
from slowpath.wire import sequence as seq
from slowpath.wire import tcp
from slowpath.wire.options import Options
from slowpath.wire.tcp import Segment

Packets = dict[tuple[int, int], tuple[Punt, Segment]]
"""Packets of a client by their first sequence number and the one after, as they came and parsed."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A request that was read and decided on, or refused; `opening` has read it. Without a decision: the end."""

    decision: Route | Answer | None
    request: Request | None
    opening: Opening


@dataclass(frozen=True, slots=True)
class Place:
    """Where the two directions of a client's connection stand."""

    iss: int
    """What our initial sequence number would be if our stream began here."""
    start: int
    """The client's SEQ at which its next request starts."""
    window: int
    """Its last window, unscaled."""
    stamps: tuple[int, int] | None
    """Its latest timestamps."""
    tsval: int
    """The latest TSval that it was sent."""


def resume(
    context: Context, junction: Junction, place: Place, packets: Packets, decided: Decided | None, now: float
) -> None:
    """Put a session in the place of `junction`, which is at its end, and let it go on with what has come."""
    context.part(junction, now)
    session = _session(junction, place, packets, decided, now)
    session.slot, junction.slot = junction.slot, None
    session.account, junction.account = junction.account, None
    if session.account is not None and context.journal is not None:
        _account(context.journal, session.account, junction, place)
    context.add(session)
    for kept, whole in packets.values():
        for punt, segment in _adapted(kept, whole, place, junction.terms.segment_size):
            session.client.receive(segment, now)
            session.cache(punt, segment)
    data = session.client.inbox.take()
    session.received += data
    if decided is not None:
        session.request = decided.request
        if session.account is not None and decided.request is not None:
            session.account.ask(session.flow, session.service, decided.request, now)
        reading.proceed(context, session, decided.decision, now)
    elif packets:
        reading.read(context, session, data, now)
    else:
        session.move(Event.PARKED)
        context.partial.setdefault(session)
        session.deadline = now + session.service.timeouts.keep_alive
    context.schedule(session)


def _account(journal: Journal, account: Account, junction: Junction, place: Place) -> None:
    """The requests of before are over, but for those that will be read again."""
    if place.start == junction.request_start:
        account.entries.clear()
        return
    sent = seq.difference(seq.add(place.iss, 1), junction.response_start)
    account.complete(journal, len(account.entries), sent, account.answered)


def _adapted(punt: Punt, segment: Segment, place: Place, size: int) -> Iterator[tuple[Punt, Segment]]:
    """A packet as it would have come now: to the next server old bytes and old ACKs are foreign."""
    acknowledgment = seq.add(place.iss, 1)
    if segment.acknowledgment == acknowledgment and not seq.before(segment.sequence, place.start):
        yield punt, segment
        return
    fresh = replace(relaying.since(segment, place.start), acknowledgment=acknowledgment)
    for piece in relaying.pieces(fresh, size):
        yield relaying.remade(punt, piece), piece


def _session(junction: Junction, place: Place, packets: Packets, decided: Decided | None, now: float) -> Session:
    service, flow, stamps = junction.service, junction.splice.flow, place.stamps
    if stamps is not None:
        # The oldest of those that are about to be processed, or they would be taken for duplicates.
        for _, segment in packets.values():
            if segment.options.timestamps is not None and seq.before(segment.options.timestamps[0], stamps[0]):
                stamps = segment.options.timestamps[0], stamps[1]
    options = Options() if stamps is None else Options(timestamps=stamps)
    last = Segment(flow.client, flow.vip, place.start, seq.add(place.iss, 1), tcp.ACK, place.window, options)
    opening = service.protocol.opening(first=False) if decided is None else decided.opening
    session = handshake.session(service, flow, junction.terms, place.iss, last, opening, now)
    session.started = junction.started
    session.resumed = True
    client = session.client
    # Its clock as the client has come to know it: only this one is sure not to be behind.
    client.last_tsval = place.tsval
    client.fixed_tsval = place.tsval
    return session
