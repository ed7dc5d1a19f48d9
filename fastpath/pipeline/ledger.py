"""What is in the tables of records, kept on this side: the original table of design section 5.

Batches are judged here, whole, before the switch sees any of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fastpath.errors import Rejected, TableFull
from fastpath.interface import Closed
from fastpath.pipeline.claims import Claims
from fastpath.pipeline.digest import digest
from fastpath.pipeline.groups import Groups
from fastpath.pipeline.paths import Path, Paths
from fastpath.pipeline.records import Prefix, Record
from fastpath.pipeline.rows import CONNECTIONS, Action, Key
from fastpath.records import Direction, Flow, Splice, Tuple4
from fastpath.validation import check_splices
from slowpath.wire.endpoint import Endpoint

PER_PREFIX = 256
"""Colliding records that the clients of one /24 may have in `overrides`. Whoever can choose source ports can make
collisions at will (CRC is linear), and must not use up the room of all others."""
_ENTRIES_PER_OVERRIDE = 2


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the program was compiled with: entries of `connections` and `overrides`, and bits of a digest."""

    connections: int
    overrides: int
    digest_bits: int


@dataclass(slots=True)
class Batch:
    """Records that go out of the tables and records that go in, found good."""

    old: list[Record] = field(default_factory=list)
    new: list[Record] = field(default_factory=list)

    def rows(self) -> tuple[dict[Key, Action], dict[Key, Action]]:
        """The entries before and after."""
        return _rows(self.old), _rows(self.new)


class Ledger:
    """The records of one switch."""

    def __init__(self, sizes: Sizes, paths: Paths) -> None:
        self._sizes = sizes
        self._paths = paths
        self._groups = Groups()
        self._claims = Claims()
        self._records: dict[Flow, Record] = {}
        self._replies: dict[Tuple4, Record] = {}
        self._digests: dict[int, Record] = {}
        self._overrides = 0
        self._charges: Counter[Prefix] = Counter()
        self._pairs: Counter[tuple[Endpoint, Endpoint]] = Counter()
        self._lost: list[Flow] = []
        self.collisions = 0
        """Records that went to `overrides` because of another connection's digest, so far."""

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def __contains__(self, record: Record) -> bool:
        """Whether it is still that of its flow."""
        return self._records.get(record.splice.flow) is record

    def get(self, flow: Flow) -> Record | None:
        """The record of `flow`, if it has one."""
        return self._records.get(flow)

    def find(self, key: Key) -> Record | None:
        """The record that has the entry `key` of `connections` or `overrides`."""
        table, values = key
        if table == CONNECTIONS:
            return self._digests.get(values[0])
        source, source_port, destination, destination_port = values
        match = Tuple4(
            Endpoint(source.to_bytes(4, "big"), source_port), Endpoint(destination.to_bytes(4, "big"), destination_port)
        )
        return self._records.get(Flow(*match)) or self._replies.get(match)

    @property
    def compressed(self) -> Counter[tuple[Endpoint, Endpoint]]:
        """How many records of each VIP and server are in `connections`."""
        return +self._pairs

    @property
    def overrides(self) -> int:
        """How many entries of `overrides` are in use."""
        return self._overrides

    def rows(self) -> dict[Key, Action]:
        """The entries of all records."""
        return _rows(self._records.values())

    # Batches

    def install(self, splices: Sequence[Splice], refused: Collection[Flow], now: float) -> Batch:
        """What adds or replaces `splices`; those of `refused` flows found no room in `connections`.

        Raises TableFull or Rejected.
        """
        wanted = {splice.flow: splice for splice in splices}
        self._check(wanted)
        batch = Batch(self._present(wanted))
        taken: dict[int, Flow] = {}
        for splice in wanted.values():
            batch.new.append(self._place(splice, taken, refused, now))
        self._check_room(batch)
        return batch

    def update(self, splices: Sequence[Splice], refused: Collection[Flow], now: float) -> Batch:
        """What replaces `splices`; one whose pivot alone changes remembers its FINs. Raises Rejected or TableFull."""
        for splice in splices:
            if splice.flow not in self._records:
                raise Rejected(f"splice {splice.flow} is not there to be updated")
        batch = self.install(splices, refused, now)
        for old, new in zip(batch.old, batch.new, strict=True):
            if replace(old.splice, pivot=new.splice.pivot) == new.splice:
                new.ending = old.ending
        return batch

    def remove(self, flows: Iterable[Flow]) -> Batch:
        """What removes `flows`; one that is not there is passed over."""
        return Batch(self._present(dict.fromkeys(flows)))

    def is_clear(self, flow: Flow, now: float) -> bool:
        """Whether no record is in the way of `flow`, a packet of which was punted; no new one will be."""
        if flow in self._records or flow.vip not in self._groups.vips:
            return True
        number = self._digest(flow.client, self._groups.vip(flow.vip))
        self._claims.note(flow, number, now)
        return number not in self._digests

    def clear_way(self, flow: Flow) -> Batch:
        """What moves the record that is in the way of `flow`, on the account of `flow`. Raises TableFull."""
        holder = self._digests.get(self._digest(flow.client, self._groups.vip(flow.vip)))
        if holder is None or flow in self._records:
            return Batch()
        moved = replace(holder, digest=None, hashes=self._hashes(holder.splice), charged=_prefix(flow.client))
        batch = Batch([holder], [moved])
        self._check_room(batch)
        return batch

    def regroup(self, groups: Groups) -> Batch:
        """What moves the records whose digests `groups` changes; `set_groups` has to follow. Raises TableFull."""
        batch = Batch()
        if groups == self._groups:
            return batch
        # Claims under the new groups: no record may end up with the digest of one.
        taken = {self._digest(flow.client, groups.vip(flow.vip)) for flow in self._claims}
        vips = _changed(self._groups.vips, groups.vips)
        servers = _changed(self._groups.servers, groups.servers)
        for record in self._concerned(vips, servers, taken):
            flow, server = record.splice.flow, record.splice.server
            if flow.vip not in vips and server not in servers and record.digest not in taken:
                continue
            moved = replace(record, hashes=self._hashes(record.splice, groups))
            if record.digest is not None:
                [moved.digest] = moved.hashes
                # The old entries stay until the new ones are used: their digests are not free yet.
                if moved.digest in taken or self._digests.get(moved.digest, record) is not record:
                    moved.digest, moved.charged = None, _prefix(flow.client)
                else:
                    taken.add(moved.digest)
            batch.old.append(record)
            batch.new.append(moved)
        self._check_room(batch)
        return batch

    def _concerned(self, vips: set[Endpoint], servers: set[Endpoint], taken: set[int]) -> Iterable[Record]:
        """The records that may have to move: few, unless one of them has another group, as there may be a million."""
        if any(path.vip in vips or path.server in servers for path, _ in self._paths):
            return self._records.values()
        return [self._digests[number] for number in taken if number in self._digests]

    def set_groups(self, groups: Groups) -> None:
        """Place records by these groups from now on."""
        self._groups = groups
        self._claims.renumber(lambda flow: self._digest(flow.client, groups.vip(flow.vip)))

    def commit(self, batch: Batch) -> None:
        """Note that `batch` was carried out."""
        charged = {record.splice.flow for record in batch.old if record.charged is not None}
        for record in batch.old:
            self._forget(record)
        for record in batch.new:
            self._remember(record)
            self.collisions += record.charged is not None and record.splice.flow not in charged

    # Repairs

    def displace(self, key: Key) -> Batch:
        """Note that the entry `key` found no room: its record goes to `overrides`, or is lost if it is there.

        Returns what was changed.
        """
        record = self.find(key)
        if record is None:
            return Batch()
        batch = Batch([record], [replace(record, digest=None)] if record.digest is not None else [])
        try:
            self._check_room(batch)
        except TableFull:
            batch.new.clear()
        self.commit(batch)
        if not batch.new:
            self._lost.append(record.splice.flow)
        return batch

    def take_lost(self) -> list[Flow]:
        """The flows whose records were lost since the last call."""
        lost, self._lost = self._lost, []
        return lost

    # Reports

    def ended(self, packet: Tuple4, flags: int) -> list[Closed]:
        """What there is to report of a packet that left with this 4-tuple and these TCP flags."""
        source, destination = packet
        record = self._records.get(Flow(destination, source))
        if record is not None:
            return record.ended(Direction.TO_CLIENT, flags)
        record = self._replies.get(Tuple4(destination, source))
        return record.ended(Direction.TO_SERVER, flags) if record is not None else []

    # Placement

    def _place(self, splice: Splice, taken: dict[int, Flow], refused: Collection[Flow], now: float) -> Record:
        path = self._paths.number(Path(splice.flow.vip, splice.server, splice.server_id))
        old = self._records.get(splice.flow)
        in_overrides = Record(splice, path, None, self._hashes(splice), last_seen=now)
        if old is not None and (old.splice.server, old.splice.source) == (splice.server, splice.source):
            # The same keys: it stays where it is, and where there is room for it.
            return replace(in_overrides, digest=old.digest, charged=old.charged)
        if not self._compressible(splice):
            return in_overrides
        if old is not None and old.digest is None and old.charged is not None:
            in_overrides.charged = old.charged
            return in_overrides
        [number] = in_overrides.hashes
        holder = self._digests.get(number)
        is_taken = taken.setdefault(number, splice.flow) != splice.flow or (holder is not None and holder is not old)
        # One that holds the digest already keeps it: a claim beside it is of a flow whose packets are withheld.
        if is_taken or (holder is None and self._claims.is_claimed(number, splice.flow)):
            in_overrides.charged = _prefix(splice.flow.client)
        elif splice.flow not in refused:
            in_overrides.digest = number
        return in_overrides

    def _compressible(self, splice: Splice) -> bool:
        """Whether the switch computes the same digest for both directions of `splice`."""
        number = self._groups.vips.get(splice.flow.vip)
        same_group = number is not None and number == self._groups.servers.get(splice.server)
        return same_group and splice.source == splice.flow.client

    def _hashes(self, splice: Splice, groups: Groups | None = None) -> tuple[int, ...]:
        groups = groups or self._groups
        client, vip = splice.flow
        one, other = groups.vip(vip), groups.server(splice.server)
        if one == other:
            return (self._digest(client, one),)
        return self._digest(client, one), self._digest(client, other)

    def _digest(self, client: Endpoint, group: int) -> int:
        return digest(client, group, self._sizes.digest_bits)

    # Judging

    def _check(self, wanted: dict[Flow, Splice]) -> None:
        check_splices(wanted, self._holder)
        for flow, splice in wanted.items():
            if splice.timestamp_delta:
                raise Rejected(f"splice {flow}: this target translates no timestamps")

    def _check_room(self, batch: Batch) -> None:
        added = _count(batch.new, _is_compressed) - _count(batch.old, _is_compressed)
        if len(self._digests) + added > self._sizes.connections:
            raise TableFull(f"{added} more splices do not fit: {len(self._digests)} of {self._sizes.connections}")
        added = _ENTRIES_PER_OVERRIDE * (len(batch.new) - len(batch.old) - added)
        if added > 0 and self._overrides + added > self._sizes.overrides:
            raise TableFull(f"{added} more overrides do not fit: {self._overrides} of {self._sizes.overrides}")
        charges = Counter(record.charged for record in batch.new if record.charged is not None)
        charges.subtract(record.charged for record in batch.old if record.charged is not None)
        for prefix, more in charges.items():
            if more > 0 and self._charges[prefix] + more > PER_PREFIX:
                network = ".".join(map(str, prefix)) + ".0/24"
                raise TableFull(f"the clients of {network} collide {self._charges[prefix] + more} times")

    def _holder(self, match: Tuple4) -> Flow | None:
        flow = Flow(*match)
        if flow in self._records:
            return flow
        record = self._replies.get(match)
        return record.splice.flow if record is not None else None

    def _present(self, flows: Iterable[Flow]) -> list[Record]:
        return [self._records[flow] for flow in flows if flow in self._records]

    # Bookkeeping

    def _remember(self, record: Record) -> None:
        flow = record.splice.flow
        self._records[flow] = self._replies[record.replies] = record
        self._paths.hold(record.through)
        self._claims.release(flow)
        if record.digest is not None:
            self._digests[record.digest] = record
            self._pairs[flow.vip, record.splice.server] += 1
        else:
            self._overrides += _ENTRIES_PER_OVERRIDE
        if record.charged is not None:
            self._charges[record.charged] += 1

    def _forget(self, record: Record) -> None:
        flow = record.splice.flow
        del self._records[flow], self._replies[record.replies]
        self._paths.release(record.through)
        if record.digest is not None:
            del self._digests[record.digest]
            self._pairs[flow.vip, record.splice.server] -= 1
        else:
            self._overrides -= _ENTRIES_PER_OVERRIDE
        if record.charged is not None:
            self._charges[record.charged] -= 1
            if not self._charges[record.charged]:
                del self._charges[record.charged]


def _changed(old: Mapping[Endpoint, int], new: Mapping[Endpoint, int]) -> set[Endpoint]:
    """The endpoints whose group is another one."""
    return {endpoint for endpoint, _ in old.items() ^ new.items()}


def _is_compressed(record: Record) -> bool:
    return record.digest is not None


def _count(records: Iterable[Record], holds: Callable[[Record], bool]) -> int:
    return sum(map(holds, records))


def _prefix(client: Endpoint) -> Prefix:
    return client.address[:3]


def _rows(records: Iterable[Record]) -> dict[Key, Action]:
    return {key: action for record in records for key, action in record.rows()}
