"""The splices in the memory that the program looks into: l7lb_splices, l7lb_index and l7lb_paths.

All that is known of a splice is in its record (records.h): nothing of it is kept on this side but where its entries
are and what was reported, in nine bytes, so that a million of them cost little more than their maps. Nobody else writes
the index and the decided part of records, and no system call is needed to. A batch is judged whole, before any of it is
written.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from fastpath.ebpf import layout
from fastpath.ebpf.batch import Batch
from fastpath.ebpf.hashing import TupleHash
from fastpath.ebpf.index import TO_CLIENT, Index, Plan, record_of
from fastpath.ebpf.paths import Path, Paths
from fastpath.ebpf.recordmemory import RecordMemory
from fastpath.ebpf.recordnumbers import RecordNumbers
from fastpath.ebpf.sizes import Sizes
from fastpath.errors import Rejected, TableFull
from fastpath.interface import Closed
from fastpath.records import Direction, Flow, Followed, Splice, Tuple4, Volume
from fastpath.validation import check_splices
from slowpath.wire import sequence as seq
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.ip import IPV4, is_mapped

_LARGEST_NUMBER: Final = 0xFFFF_FFFF
_ALL_IPV4: Final = (IPV4.address_length,) * 4
_NEW: Final = tuple.__new__
"""As a named tuple is made: what it is made by otherwise is not compiled, and takes several times as long."""
_RESET_BY = {bit: direction for direction, bit in layout.RESET_BITS.items()}


class Splices:
    """`capacity` splices at most, in `records` and `slots`: Sizes says how many struct splice and struct bucket."""

    def __init__(
        self, sizes: Sizes, records: memoryview[int], slots: memoryview[int], hashing: TupleHash, paths: Paths
    ) -> None:
        self._capacity, self._hashing, self._paths = sizes.capacity, hashing, paths
        self.records = RecordMemory(records)
        self._index = Index(slots, hashing)
        self._numbers = RecordNumbers(sizes.records)
        self._reported = bytearray(sizes.records)
        """By record, the causes of its end that were reported: layout.CLOSING_FINS and CLOSING_RESET."""
        self._positions = array("I", bytes(8 * sizes.records))
        """Where the entries of record N are in the index: at 2 * N that of its client's packets, then the other one."""
        self._generation = self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def free(self) -> int:
        """How many more there may be."""
        return self._capacity - self._count

    def install(self, splices: Sequence[Splice], now: int) -> None:
        """Add or replace `splices`, whose counts begin; raises TableFull or Rejected. `now` in nanoseconds."""
        batch = {splice.flow: splice for splice in splices}
        try:
            made = self._planned(batch, now)
        except (struct.error, ValueError):
            check_splices(batch, self._holder, ipv6=True)
            raise
        self._carry_out(made, now)

    def update(self, splices: Sequence[Splice], now: int) -> None:
        """Replace `splices`; one whose pivot alone changes keeps counts and FINs. Raises TableFull or Rejected."""
        batch = {splice.flow: splice for splice in splices}
        pivots: list[tuple[int, Splice]] = []
        others: list[Splice] = []
        for flow, splice in batch.items():
            number = self.number(flow)
            if number is None:
                raise Rejected(f"splice {flow} is not there to be updated")
            if self._moves(number, splice):
                pivots.append((number, splice))
            else:
                others.append(splice)
        if others:
            # Before any pivot: nothing is written unless all of it can be.
            self.install(others, now)
        for number, splice in pivots:
            self._set_pivot(number, splice)

    def take_numbers(self, count: int, now: int) -> list[int]:
        """Records for the program to make splices of; raises TableFull."""
        return self._numbers.take(count, now)

    def adopt(self, number: int) -> Splice | None:
        """Take over the splice that the program has made of such a record; None if it has ended just now.

        Raises TableFull, and Rejected if another splice has one of its 4-tuples.
        """
        if self._count >= self._capacity:
            raise TableFull(f"one more splice does not fit: {self._count} are taken")
        made, path = Batch(self._index), self._path(number)
        flow, replies = self.matches(number)
        try:
            self._seat(made, {}, flow, path.to_vip + self._hashing.source(*flow.client), 0)
            self._seat(made, {}, replies, path.from_server + self._hashing.destination(*replies.vip), TO_CLIENT)
        except ValueError as error:
            raise Rejected(f"splice {flow}: {error}") from error
        self._make_room(made)
        self._generation = self._generation % _LARGEST_NUMBER + 1
        records = self.records
        records.set(number, layout.GENERATION, self._generation)
        # The program looks whose the splice is after it has noted an end: so one of both sees it.
        records.order()
        if layout.has_ended(records.word(number, layout.CLOSING)):
            records.set(number, layout.GENERATION, 0)
            return None
        self._reported[number] = 0
        path.users += 1
        self._count += 1
        made.slots = [slot | number for slot in made.slots]
        self._note_positions(made)
        made.plan.carry_out(made.positions, made.slots)
        records.set(number, layout.FLAGS, records.word(number, layout.FLAGS) & layout.DECIDED_FLAGS)
        return self._splice(number)

    def remove(self, flows: Iterable[Flow], now: int) -> None:
        """Remove splices; a flow that is not there is passed over."""
        numbers: list[int] = []
        plan = Plan(self._index)
        for flow in dict.fromkeys(flows):
            number = self._find(flow)
            if number >= 0:
                numbers.append(number)
                self._clear(plan, number)
        plan.carry_out((), ())
        self._retire(numbers, now)
        self._count -= len(numbers)

    def number(self, flow: Flow) -> int | None:
        """The number of a splice's record, if it is there."""
        number = self._find(flow)
        return number if number >= 0 else None

    def flow(self, number: int) -> Flow:
        """The flow of a record."""
        client, _, port, _ = self.records.ends(number)
        return _NEW(Flow, (_endpoint(client, port), self._path(number).vip))

    def matches(self, number: int) -> tuple[Flow, Flow]:
        """What the packets of a record's splice carry, from the client and from the server."""
        return self.flow(number), self._replies(number)

    def withdrawn(self, flow: Flow) -> Tuple4 | None:
        """What the packets of a splice's server carry, none of which ends their expectation now; None if it is gone.

        The splice is removed next.
        """
        number = self.number(flow)
        if number is None:
            return None
        self.records.set(number, layout.FLAGS, self.records.word(number, layout.FLAGS) | layout.WITHDRAWN)
        return Tuple4(*self._replies(number))

    def followed(self, flow: Flow) -> Followed | None:
        """How far precedents have moved the splice's pivot."""
        number = self.number(flow)
        return None if number is None else self.records.followed(number)

    def last_seen(self, flow: Flow, direction: Direction, now: int) -> int | None:
        """When a packet of the splice was last sent on, in nanoseconds, to some milliseconds."""
        number = self.number(flow)
        return None if number is None else self.records.last_seen(number, direction, now)

    def carried(self, flow: Flow) -> tuple[Volume, Volume] | None:
        """What the splice has carried, by direction."""
        number = self.number(flow)
        return None if number is None else self.records.carried(number)

    def ended(self, number: int, generation: int, causes: int) -> list[Closed]:
        """What there is to report of a record for which the program has noted `causes`, and was not yet."""
        if not generation or self.records.word(number, layout.GENERATION) != generation:
            return []
        reported, due = self._reported[number], []
        if causes & ~reported & layout.CLOSING_FINS == layout.CLOSING_FINS:
            reported |= layout.CLOSING_FINS
            due.append(Closed(self.flow(number), reset=False))
        if causes & layout.CLOSING_RESET and not reported & layout.CLOSING_RESET:
            reported |= layout.CLOSING_RESET
            # Where both sides have sent one before the sweep came, nobody knows whose was first.
            due.append(Closed(self.flow(number), reset=True, by=_RESET_BY.get(causes & layout.CLOSING_RESET)))
        self._reported[number] = reported
        return due

    def path(self, vip: Endpoint, server: Endpoint, server_id: int) -> int | None:
        """The number that splices from the VIP to the server have in their records."""
        path = self._paths.find(vip, server, server_id)
        return None if path is None else path.number

    @property
    def servers(self) -> AbstractSet[int]:
        """The ids of all servers that a splice has ever led to."""
        return self._paths.servers

    @property
    def used(self) -> int:
        """Records from this number on have never been used."""
        return self._numbers.used

    def __iter__(self) -> Iterator[Splice]:
        """Every splice, read back."""
        for number in range(self.used):
            if self.records.word(number, layout.GENERATION):
                yield self._splice(number)

    def close(self) -> None:
        """Let the memory go."""
        self._index.close()
        self.records.close()

    def _planned(self, splices: Mapping[Flow, Splice], now: int) -> Batch:
        """What installs `splices`; raises TableFull, Rejected, or an error that says that something is out of range."""
        made = Batch(self._index)
        hashing, tick = self._hashing, layout.tick(now)
        for flow, splice in splices.items():
            (client, client_port), vip = flow
            server, (source, source_port) = splice.server, splice.source
            if (len(client), len(vip.address), len(source), len(server.address)) != _ALL_IPV4:
                _check_versions(flow, server, splice.source)
            path = self._paths.wanted(vip, server, splice.server_id, now)
            self._generation = self._generation % _LARGEST_NUMBER + 1
            made.paths.append(path)
            made.records.append(layout.record(splice, path.number, self._generation, tick))
            self._seat(made, splices, flow, path.to_vip + hashing.source(client, client_port), 0)
            total = path.from_server + hashing.destination(source, source_port)
            self._seat(made, splices, (server, splice.source), total, TO_CLIENT)
        if len(set(made.totals)) < len(made.totals):
            # Two of them have a 4-tuple in common, or two 4-tuples a hash, which is no harm.
            check_splices(splices, self._holder, ipv6=True)
            for flow, splice in splices.items():
                if flow == (splice.server, splice.source):
                    raise Rejected(f"splice {flow}: what its client sends carries what its server sends")
        added = len(splices) - len(made.replaced)
        if self._count + added > self._capacity:
            raise TableFull(f"{added} more splices do not fit: {self._count} of {self._capacity} are taken")
        return made

    def _seat(
        self, made: Batch, splices: Mapping[Flow, Splice], match: tuple[Endpoint, Endpoint], total: int, direction: int
    ) -> None:
        """Find a position for the entry of `match`; ValueError if another splice has it that does not give way."""
        begins, position, may_be_there = self._index.survey(total)
        made.totals.append(total)
        made.slots.append(begins | direction)
        entries = self._index.entries(total) if may_be_there else []
        for taken, other in entries:
            if self._match(other) == match:
                owner = self.flow(record_of(other))
                if owner not in splices:
                    raise ValueError("a 4-tuple that another splice has")
                if owner == match and not direction:
                    made.replaced.append(record_of(other))
                made.plan.swing(taken)
                made.positions.append(taken)
                return
        made.positions.append(position if made.plan.take(position) else -1)

    def _carry_out(self, made: Batch, now: int) -> None:
        """Raises TableFull, and has changed nothing then."""
        for number in made.replaced:
            self._clear(made.plan, number)
        self._make_room(made)
        numbers = self._numbers.take(len(made.records), now)
        for index, (number, path) in enumerate(zip(numbers, made.paths, strict=True)):
            self.records.write(number, made.records[index])
            self._reported[number] = 0
            path.users += 1
            for entry in (0, 1):
                made.slots[2 * index + entry] |= number
        self._note_positions(made)
        self.records.order()
        made.plan.carry_out(made.positions, made.slots)
        self._count += len(numbers) - len(made.replaced)
        self._retire(made.replaced, now)

    def _make_room(self, made: Batch) -> None:
        """Find the positions that are still to be found; raises TableFull."""
        for index, position in enumerate(made.positions):
            if position < 0:
                made.positions[index] = made.plan.make_room(made.totals[index], self._total)

    def _note_positions(self, made: Batch) -> None:
        """Note where entries come, and where those are moved that give way."""
        for position, slot in (*zip(made.positions, made.slots, strict=True), *made.plan.moves):
            self._positions[2 * record_of(slot) + bool(slot & TO_CLIENT)] = position

    def _retire(self, numbers: list[int], now: int) -> None:
        """The records `numbers` are in the index no more."""
        for number in numbers:
            self.records.set(number, layout.GENERATION, 0)
            self._paths.release(self.records.word(number, layout.PATH), now)
        self._numbers.give_back(numbers, now)

    def _find(self, flow: Flow) -> int:
        """The number of a splice's record; -1 if it is not there."""
        client, vip = flow
        ends = layout.mapped(client.address), client.port
        for _, slot in self._index.entries(self._hashing.of(client, vip)):
            if slot & TO_CLIENT:
                continue
            number = record_of(slot)
            address, _, port, _ = self.records.ends(number)
            if (address, port) == ends and self._path(number).vip == vip:
                return number
        return -1

    def _clear(self, plan: Plan, number: int) -> None:
        """Have the entries of a record taken out."""
        plan.clear(self._positions[2 * number])
        plan.clear(self._positions[2 * number + 1])

    def _moves(self, number: int, splice: Splice) -> bool:
        """Whether `splice` is what the record says but for its pivot."""
        path = self._path(number)
        _, source, _, port = self.records.ends(number)
        return (
            (path.server, path.server_id) == (splice.server, splice.server_id)
            and splice.source == _endpoint(source, port)
            and self.records.word(number, layout.DELTA) == splice.delta
            and self.records.word(number, layout.TIMESTAMP_DELTA) == splice.timestamp_delta
            and (splice.pivot is None or 0 <= splice.pivot <= _LARGEST_NUMBER)
        )

    def _set_pivot(self, number: int, splice: Splice) -> None:
        records, flags = self.records, layout.flags(splice)
        if splice.pivot is not None and not (
            records.word(number, layout.CLOSING) & layout.FOLLOWED
            and seq.after(records.word(number, layout.PIVOT), splice.pivot)
        ):
            records.set(number, layout.PIVOT, splice.pivot)
        if records.word(number, layout.FLAGS) != flags:
            records.order()
            records.set(number, layout.FLAGS, flags)

    def _splice(self, number: int) -> Splice:
        path, (client, source, client_port, source_port) = self._path(number), self.records.ends(number)
        flags = self.records.word(number, layout.FLAGS)
        return Splice(
            Flow(_endpoint(client, client_port), path.vip),
            path.server,
            path.server_id,
            _endpoint(source, source_port),
            delta=self.records.word(number, layout.DELTA),
            timestamp_delta=self.records.word(number, layout.TIMESTAMP_DELTA),
            pivot=self.records.word(number, layout.PIVOT) if flags & layout.HAS_PIVOT else None,
            follows_precedents=bool(flags & layout.FOLLOWS_PRECEDENTS),
        )

    def _replies(self, number: int) -> Flow:
        _, source, _, port = self.records.ends(number)
        return _NEW(Flow, (self._path(number).server, _endpoint(source, port)))

    def _match(self, slot: int) -> Flow:
        """The source and the destination of the packets that an entry stands for."""
        number = record_of(slot)
        return self._replies(number) if slot & TO_CLIENT else self.flow(number)

    def _total(self, slot: int) -> int:
        source, destination = self._match(slot)
        return self._hashing.source(*source) + self._hashing.destination(*destination)

    def _holder(self, match: Tuple4) -> Flow | None:
        wanted = Flow(*match)
        for _, slot in self._index.entries(self._hashing.of(*match)):
            if self._match(slot) == wanted:
                return self.flow(record_of(slot))
        return None

    def _path(self, number: int) -> Path:
        return self._paths[self.records.word(number, layout.PATH)]


def _endpoint(address: bytes, port: int) -> Endpoint:
    """The endpoint of a struct address and a port."""
    return _NEW(Endpoint, (layout.unmapped(address), port))


def _check_versions(flow: Flow, server: Endpoint, source: Endpoint) -> None:
    """Raise ValueError unless the addresses are of one version on each side, and such as packets carry."""
    if len(flow.client.address) != len(flow.vip.address) or len(server.address) != len(source.address):
        raise ValueError("addresses of two versions on one side")
    if any(is_mapped(endpoint.address) for endpoint in (*flow, server, source)):
        raise ValueError("an IPv4-mapped address")
