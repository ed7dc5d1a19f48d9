"""What takes back a batch of which a part failed, for servers that cannot do so themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from p4rt.codec import decode_key
from p4rt.errors import ProtocolError
from p4rt.proto import p4runtime_pb2 as pb
from p4rt.schema import TableSchema
from p4rt.update import Update, of
from rpc.values import KeyValue

_Identity = tuple[int, tuple[KeyValue, ...] | None]
"""An entry: its table's id and its key; None for the default entry."""


class Undo:
    """Of one batch of updates of tables: `needed` is read before it is written, and given to `remember`."""

    def __init__(self, updates: Sequence[Update]) -> None:
        self._updates = updates
        self._before: dict[_Identity, pb.TableEntry] = {}

    @property
    def needed(self) -> list[pb.Entity]:
        """The entries whose present state has to be known: those that the batch modifies or deletes.

        What it only inserts is not there, or else the insert fails.
        """
        changing = (update for update in self._updates if update.type != pb.Update.INSERT)
        entries = {_identity(update): update.entity.table_entry for update in changing}
        return [pb.Entity(table_entry=_bare(entry)) for entry in entries.values()]

    def remember(self, entities: Iterable[pb.Entity]) -> None:
        """Take what was read; raises ProtocolError for what was not asked for."""
        tables = {update.table.id: update.table for update in self._updates}
        for entity in entities:
            entry = entity.table_entry
            table = tables.get(entry.table_id)
            if not isinstance(table, TableSchema):
                raise ProtocolError(f"table id {entry.table_id:#x} was not asked for")
            self._before[_key(table, entry)] = entry

    def after(self, failed: Iterable[int]) -> list[Update]:
        """What restores each entry, the last touched one first, if all but the updates `failed` were carried out.

        Raises ProtocolError when something was modified or deleted of which the server said before that it was not
        there.
        """
        touched: dict[_Identity, tuple[Update, Update]] = {}
        left_out = frozenset(failed)
        for index, update in enumerate(self._updates):
            if index not in left_out:
                identity = _identity(update)
                first, _ = touched.pop(identity, (update, update))
                touched[identity] = first, update
        back = (self._back(identity, *updates) for identity, updates in reversed(touched.items()))
        return [update for update in back if update is not None]

    def _back(self, identity: _Identity, first: Update, last: Update) -> Update | None:
        there = last.type != pb.Update.DELETE
        if first.type == pb.Update.INSERT:
            entity = pb.Entity(table_entry=_bare(first.entity.table_entry))
            return of(first.table, pb.Update.DELETE, entity) if there else None
        before = self._before.get(identity)
        if before is None:
            raise ProtocolError(f"{first}: was not there, and yet it was modified or deleted")
        return of(first.table, pb.Update.MODIFY if there else pb.Update.INSERT, pb.Entity(table_entry=before))


def _identity(update: Update) -> _Identity:
    assert isinstance(update.table, TableSchema)
    return _key(update.table, update.entity.table_entry)


def _key(table: TableSchema, entry: pb.TableEntry) -> _Identity:
    return table.id, None if entry.is_default_action else decode_key(table, entry)


def _bare(entry: pb.TableEntry) -> pb.TableEntry:
    """The key of an entry alone."""
    return pb.TableEntry(
        table_id=entry.table_id,
        match=entry.match,
        priority=entry.priority,
        is_default_action=entry.is_default_action,
    )
