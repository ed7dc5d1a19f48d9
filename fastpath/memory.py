"""A fast path in memory: the reference behind the contract, for tests of the slow path in virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from fastpath import frame as cpu
from fastpath.closing import Cause, Watch
from fastpath.errors import Rejected, TableFull, Unavailable
from fastpath.interface import Batch, Closed, Idle
from fastpath.lookup import Entry, Tables
from fastpath.profile import HOST, Profile
from fastpath.records import (
    Counters,
    Direction,
    Drop,
    Flow,
    Followed,
    Limits,
    Listener,
    NextHop,
    Pivot,
    Precedent,
    Reason,
    Server,
    Splice,
    SynCookies,
    Traffic,
    Tuple4,
    Volume,
)
from fastpath.reference import Follow, Outcome, Translated, injected, received
from fastpath.unlearning import Unlearning
from fastpath.validation import check_splices, check_tables
from fastpath.verdict import Dropped, Punted, Sent, Verdict
from slowpath.wire import sequence, tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.ip import IPV6

EXPECTED_FOR = 60.0
"""Seconds for which a 4-tuple stays expected."""


@dataclass(slots=True)
class _Record:
    splice: Splice
    last_seen: float
    """Either way."""
    closing: Watch
    seen: list[float]
    """By direction."""
    carried: tuple[Volume, Volume] = (Volume(0, 0), Volume(0, 0))
    """Likewise."""
    followed: Followed | None = None
    ending: bool = False
    """Whether a FIN or a RST has passed."""


class MemoryFastPath(Unlearning):
    """A FastPath without I/O and without a clock.

    Time is the largest `now` (seconds) that `receive` or `sweep` has been given; what happens in between
    happens then. Frames that arrive go to `receive`; what injected ones send is fetched with `take_sent`.
    A switch has an Ethernet address on each port: its `addresses`.
    """

    def __init__(
        self,
        ports: Collection[int],
        *,
        capacity: int = 65536,
        idle_after: float = 600.0,
        profile: Profile = HOST,
        addresses: Mapping[int, bytes] | None = None,
    ) -> None:
        self._profile = profile
        self._ipv6 = IPV6.ether_type in profile.locate
        self._capacity = capacity
        self._idle_after = idle_after
        self._now = 0.0
        self._closed = False
        self._records: dict[Flow, _Record] = {}
        self._entries: dict[Tuple4, Entry] = {}
        self._expected: dict[Tuple4, float] = {}
        """By 4-tuple, when it stops being expected; soonest first."""
        self._precedents: dict[tuple[Endpoint, Endpoint, int, bytes], Precedent] = {}
        self._tables = Tables(
            {},
            frozenset(),
            self._entries,
            self._expected,
            (),
            frozenset(ports),
            self._precedents,
            addresses or {},
        )
        self._traffic: dict[int, tuple[Traffic, Traffic]] = {}
        self._punts: Counter[Reason] = Counter()
        self._drops: Counter[Drop] = Counter()
        self._labels: Counter[int] = Counter()
        self._batch = Batch()
        self._reported = asyncio.Event()
        self._sent: list[Sent] = []

    @property
    def limits(self) -> Limits:
        """What this target can do."""
        timestamps, pivot = self._profile.timestamps, self._profile.pivot
        exact = pivot is Pivot.EXACT
        return Limits(
            self._capacity, timestamps, pivot, ipv6=self._ipv6, snat=True, answers_syns=False, precedents=exact
        )

    async def configure(
        self, listeners: Sequence[Listener], servers: Sequence[Server], next_hops: Sequence[NextHop]
    ) -> None:
        """Make these the VIPs, servers and routes; raises Rejected for an unknown port and by `check_tables`."""
        self._require_open()
        check_tables(listeners, servers, ipv6=self._ipv6)
        for hop in next_hops:
            if hop.port not in self._tables.ports:
                raise Rejected(f"next hop for {hop.network[0].hex()}/{hop.network[1]}: there is no port {hop.port}")
        self._tables = replace(
            self._tables,
            listeners={listener.endpoint: listener for listener in listeners},
            vips=frozenset(listener.endpoint.address for listener in listeners),
            routes=tuple(next_hops),
        )

    async def rotate(self, cookies: SynCookies) -> None:
        """Ignored: this target answers no SYNs."""

    async def install(self, splices: Sequence[Splice]) -> None:
        """Add splices. One whose flow is there already is replaced.

        Raises TableFull, or Rejected for a value out of range or a 4-tuple that another splice has.
        """
        self._require_open()
        batch = {splice.flow: splice for splice in splices}
        if len(self._records) + sum(flow not in self._records for flow in batch) > self._capacity:
            raise TableFull(f"{len(batch)} splices do not fit: {len(self._records)} of {self._capacity} are taken")
        self._check(batch)
        for flow in batch:
            self._forget(flow)
        for splice in batch.values():
            self._remember(_Record(splice, self._now, self._profile.closing(), [self._now] * 2))

    async def update(self, splices: Sequence[Splice]) -> None:
        """Replace splices that are there, as `install` does; one whose pivot alone changes remembers its FINs."""
        self._require_open()
        batch = {splice.flow: splice for splice in splices}
        for flow in batch:
            if flow not in self._records:
                raise Rejected(f"splice {flow} is not there to be updated")
        self._check(batch)
        old = {flow: self._forget(flow) for flow in batch}
        for flow, splice in batch.items():
            record = old[flow]
            only_pivot = record is not None and replace(record.splice, pivot=splice.pivot) == splice
            closing = record.closing if record is not None and only_pivot else self._profile.closing()
            seen = record.seen if record is not None and only_pivot else [self._now] * 2
            fresh = _Record(splice, self._now, closing, seen)
            if record is not None and only_pivot:
                fresh.carried, fresh.followed, fresh.ending = record.carried, record.followed, record.ending
                if record.followed and _is_behind(splice.pivot, record.splice.pivot):
                    fresh.splice = record.splice
            self._remember(fresh)

    async def remove(self, flows: Sequence[Flow]) -> None:
        """Remove splices; a flow that is not there is passed over."""
        for flow in flows:
            self._forget(flow)

    async def withdraw(self, flows: Sequence[Flow]) -> None:
        """Remove splices; the packets of their servers become expected."""
        for flow in flows:
            record = self._forget(flow)
            if record is not None:
                self._expect(Tuple4(record.splice.server, record.splice.source))

    async def set_precedents(self, precedents: Sequence[Precedent]) -> None:
        """Have splices follow these as well, until their time is up; a switch ignores them."""
        if self.limits.precedents:
            self._precedents |= {(one.vip, one.server, one.server_id, one.head): one for one in precedents}

    async def revoke_precedents(self) -> None:
        """Follow none of those that were set so far."""
        self._precedents.clear()

    def followed(self, flow: Flow) -> Followed | None:
        """How far precedents have moved the pivot of a splice."""
        record = self._records.get(flow)
        if record is None or record.followed is None or record.splice.pivot is None:
            return None
        if record.ending:
            return Followed(record.splice.pivot, None, None)
        return record.followed._replace(pivot=record.splice.pivot)

    def last_seen(self, flow: Flow, direction: Direction) -> float | None:
        """When a packet of the splice was last sent on in this direction; only a host's profile knows."""
        record = self._records.get(flow)
        return record.seen[direction] if record is not None and self._profile.pivot is Pivot.EXACT else None

    def traffic(self, flows: Sequence[Flow]) -> Sequence[tuple[Volume, Volume] | None]:
        """What each splice has carried; only a host's profile counts that."""
        known = self._records if self._profile.pivot is Pivot.EXACT else {}
        return [known[flow].carried if flow in known else None for flow in flows]

    def receive(self, port: int, frame: bytes, now: float) -> Verdict:
        """Let the Ethernet `frame` arrive on `port`; what it makes the fast path send is the verdict's."""
        self._advance(now)
        return self._settle(received(self._tables, port, frame, self._profile))

    def inject(self, frames: Iterable[bytes]) -> None:
        """Run frames of `fastpath.frame` through; `take_sent` has what they send.

        The offload header says nothing here: no punt of this fast path leaves a checksum to be completed.
        """
        for raw in frames:
            verdict = self.inject_one(raw[cpu.OFFLOAD_LENGTH :])
            if isinstance(verdict, Sent):
                self._sent.append(verdict)

    def inject_one(self, frame: bytes) -> Verdict:
        """Inject one `frame` that has no offload header."""
        return self._settle(injected(self._tables, frame, self._profile))

    def take_sent(self) -> list[Sent]:
        """What `inject` has sent since the last call, in order."""
        sent, self._sent = self._sent, []
        return sent

    def sweep(self, now: float) -> None:
        """Report every splice that has been idle for `idle_after` seconds or more."""
        self._advance(now)
        for flow, record in self._records.items():
            if self._now - record.last_seen >= self._idle_after:
                self._batch.idle.append(Idle(flow, self._now - record.last_seen))
                self._reported.set()

    async def events(self) -> AsyncIterator[Batch]:
        """Punted frames and reports, one batch at a time; ends after `close`."""
        while True:
            await self._reported.wait()
            batch = self.take_batch()
            if batch.punts or batch.closed or batch.idle:
                yield batch
            if self._closed:
                return

    def take_batch(self) -> Batch:
        """What `events` would yield next, without waiting for it."""
        batch, self._batch = self._batch, Batch()
        if not self._closed:
            self._reported.clear()
        return batch

    def splices(self) -> Iterable[Splice]:
        """Read every record back."""
        return [record.splice for record in self._records.values()]

    def counters(self) -> Counters:
        """A snapshot of the counters."""
        servers = {id_: (replace(up), replace(down)) for id_, (up, down) in self._traffic.items()}
        return Counters(servers, dict(self._punts), dict(self._drops), followed=dict(self._labels))

    async def close(self) -> None:
        """Forget every record and pass every packet from now on; idempotent."""
        self._closed = True
        self._records.clear()
        self._entries.clear()
        self._expected.clear()
        self._tables = replace(self._tables, listeners={}, vips=frozenset(), routes=(), ports=frozenset())
        self._reported.set()

    def _advance(self, now: float) -> None:
        self._now = max(self._now, now)
        while self._expected:
            key = next(iter(self._expected))
            if self._expected[key] > self._now:
                break
            del self._expected[key]
        for name, precedent in tuple(self._precedents.items()):
            if precedent.until <= self._now:
                del self._precedents[name]

    def _settle(self, outcome: Outcome) -> Verdict:
        verdict = outcome.verdict
        if isinstance(verdict, Dropped):
            self._drops[verdict.reason] += 1
        elif isinstance(verdict, Punted):
            self._punts[verdict.reason] += 1
            self._batch.punts.append(cpu.decode(bytes(cpu.OFFLOAD_LENGTH) + verdict.frame))
            self._reported.set()
        if outcome.reply is not None:
            if outcome.reply_ends:
                self._expected.pop(outcome.reply, None)
            else:
                self._expect(outcome.reply)
        if outcome.follow is not None:
            self._follow(outcome.follow)
        if outcome.translated is not None:
            self._account(outcome.translated)
        return verdict

    def _expect(self, reply: Tuple4) -> None:
        self._expected.pop(reply, None)
        self._expected[reply] = self._now + EXPECTED_FOR

    def _account(self, translated: Translated) -> None:
        splice, direction = translated.entry.splice, translated.entry.translation.direction
        record = self._records[splice.flow]
        record.last_seen = record.seen[direction] = self._now
        traffic = self._traffic.setdefault(splice.server_id, (Traffic(), Traffic()))[direction]
        traffic.packets += 1
        traffic.bytes += self._profile.counted(translated.arrived)
        up, down = record.carried
        packets, payload = record.carried[direction]
        volume = Volume(packets + 1, payload + translated.arrived.payload_length)
        record.carried = (volume, down) if direction is Direction.TO_SERVER else (up, volume)
        if translated.left.flags & (tcp.FIN | tcp.RST):
            record.ending = True
            self._enter(record)
        causes = record.closing.observe(direction, translated.arrived, translated.left)
        for cause in causes:
            reset = cause is Cause.RESET
            self._batch.closed.append(Closed(splice.flow, reset, direction if reset else None))
            self._reported.set()

    def _follow(self, follow: Follow) -> None:
        record = self._records[follow.splice.flow]
        record.splice = replace(record.splice, pivot=follow.followed.pivot)
        record.followed = follow.followed
        self._enter(record)
        self._labels[follow.precedent.label] += 1

    def _require_open(self) -> None:
        if self._closed:
            raise Unavailable("this fast path is closed")

    def _check(self, batch: Mapping[Flow, Splice]) -> None:
        check_splices(batch, self._holder, ipv6=self._ipv6)
        if self._profile.timestamps:
            return
        for flow, splice in batch.items():
            if splice.timestamp_delta:
                raise Rejected(f"splice {flow}: this target does not translate timestamps")

    def _holder(self, match: Tuple4) -> Flow | None:
        entry = self._entries.get(match)
        return entry.splice.flow if entry is not None else None

    def _remember(self, record: _Record) -> None:
        self._records[record.splice.flow] = record
        self._enter(record)
        for translation in record.splice.translations():
            self._expected.pop(translation.match, None)

    def _enter(self, record: _Record) -> None:
        for translation in record.splice.translations():
            self._entries[translation.match] = Entry(translation, record.splice, record.followed, record.ending)

    def _forget(self, flow: Flow) -> _Record | None:
        record = self._records.pop(flow, None)
        if record is not None:
            for translation in record.splice.translations():
                del self._entries[translation.match]
        return record


def _is_behind(pivot: int | None, other: int | None) -> bool:
    return pivot is not None and other is not None and sequence.before(pivot, other)
