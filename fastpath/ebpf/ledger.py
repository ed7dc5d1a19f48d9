"""What is in l7lb_flows, kept on this side: batches are judged here, whole, before the kernel sees any of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from fastpath.ebpf import layout
from fastpath.errors import Rejected, TableFull
from fastpath.interface import Closed
from fastpath.records import Flow, Splice, Tuple4
from fastpath.validation import check_splices

_LARGEST_NUMBER = 0xFFFF_FFFF

_RESET_BY = {bit: direction for direction, bit in layout.RESET_BITS.items()}


@dataclass(slots=True)
class Record:
    """A splice that is installed; `generation` tells it from earlier ones of its flow."""

    splice: Splice
    generation: int
    reported: int = 0
    """The causes of its end that were reported, as bits: layout.CLOSING_FINS and CLOSING_RESET."""

    @property
    def replies(self) -> Tuple4:
        """What the packets of its server carry."""
        return Tuple4(self.splice.server, self.splice.source)

    def element_keys(self) -> tuple[bytes, bytes]:
        """The keys of its elements of l7lb_flows."""
        return layout.tuple4(self.splice.flow), layout.tuple4(self.replies)

    def elements(self, now: int) -> dict[bytes, bytes]:
        """Its elements of l7lb_flows as if no packet had passed yet; `now` in nanoseconds."""
        return {
            key: layout.translation(translation, self.splice, self.generation, now)
            for key, translation in zip(self.element_keys(), self.splice.translations(), strict=True)
        }


@dataclass(slots=True)
class Change:
    """A batch that was found good: the records that it takes out and those that it puts in."""

    old: list[Record] = field(default_factory=list)
    new: list[Record] = field(default_factory=list)


class Ledger:
    """The splices of one fast path, `capacity` at most."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._records: dict[Flow, Record] = {}
        self._replies: dict[Tuple4, Flow] = {}
        self._generation = 0

    def __len__(self) -> int:
        return len(self._records)

    def get(self, flow: Flow) -> Record | None:
        """The record of `flow`, if it is installed."""
        return self._records.get(flow)

    def install(self, splices: Sequence[Splice]) -> Change:
        """What adds or replaces `splices`; raises TableFull or Rejected."""
        batch = {splice.flow: splice for splice in splices}
        added = sum(flow not in self._records for flow in batch)
        if len(self) + added > self._capacity:
            raise TableFull(f"{added} more splices do not fit: {len(self)} of {self._capacity} are taken")
        check_splices(batch, self._holder, ipv6=True)
        return Change(self._present(batch), [self._fresh(splice) for splice in batch.values()])

    def update(self, splices: Sequence[Splice]) -> Change:
        """What replaces `splices`; one whose pivot alone changes keeps its generation. Raises Rejected."""
        batch = {splice.flow: splice for splice in splices}
        for flow in batch:
            if flow not in self._records:
                raise Rejected(f"splice {flow} is not there to be updated")
        check_splices(batch, self._holder, ipv6=True)
        change = Change(self._present(batch))
        for record, splice in zip(change.old, batch.values(), strict=True):
            only_pivot = replace(record.splice, pivot=splice.pivot) == splice
            change.new.append(replace(record, splice=splice) if only_pivot else self._fresh(splice))
        return change

    def moves(self, splices: Sequence[Splice]) -> list[tuple[Record, Splice]] | None:
        """The records of `splices`, if all that changes are pivots, from one number to another; None if it is more.

        That is an update for each request of a connection, and so is cheap.
        """
        moves = []
        for splice in splices:
            record = self._records.get(splice.flow)
            if record is None or not _moves(record.splice, splice):
                return None
            moves.append((record, splice))
        return moves

    def commit_moves(self, moves: Iterable[tuple[Record, Splice]]) -> None:
        """Note that `moves` were carried out."""
        for record, splice in moves:
            record.splice = splice

    def remove(self, flows: Iterable[Flow]) -> Change:
        """What removes `flows`; one that is not there is passed over."""
        return Change(self._present(dict.fromkeys(flows)))

    def commit(self, change: Change) -> None:
        """Note that `change` was carried out."""
        for record in change.old:
            del self._records[record.splice.flow], self._replies[record.replies]
        for record in change.new:
            self._records[record.splice.flow] = record
            self._replies[record.replies] = record.splice.flow

    def ended(self, flow: Flow, generation: int, causes: int) -> list[Closed]:
        """What there is to report of a splice for which the program has noted `causes`, and was not yet."""
        record = self._records.get(flow)
        if record is None or record.generation != generation:
            return []
        due = []
        if causes & ~record.reported & layout.CLOSING_FINS == layout.CLOSING_FINS:
            record.reported |= layout.CLOSING_FINS
            due.append(Closed(flow, reset=False))
        if causes & layout.CLOSING_RESET and not record.reported & layout.CLOSING_RESET:
            record.reported |= layout.CLOSING_RESET
            # Where both sides have sent one before the sweep came, nobody knows whose was first.
            due.append(Closed(flow, reset=True, by=_RESET_BY.get(causes & layout.CLOSING_RESET)))
        return due

    def _present(self, flows: Iterable[Flow]) -> list[Record]:
        return [self._records[flow] for flow in flows if flow in self._records]

    def _fresh(self, splice: Splice) -> Record:
        self._generation = (self._generation + 1) & _LARGEST_NUMBER
        return Record(splice, self._generation)

    def _holder(self, match: Tuple4) -> Flow | None:
        flow = Flow(*match)
        return flow if flow in self._records else self._replies.get(match)


def _moves(old: Splice, new: Splice) -> bool:
    """Whether `new` is `old` with its pivot at another place."""
    if old.pivot is None or new.pivot is None or not 0 <= new.pivot <= _LARGEST_NUMBER:
        return False
    same = old.delta == new.delta and old.timestamp_delta == new.timestamp_delta and old.server_id == new.server_id
    return same and old.server == new.server and old.source == new.source
