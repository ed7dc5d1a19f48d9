"""Match-action tables: what packets look up and what a control plane writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from p4model.objects import ActionScope, TableInfo
from p4model.state.aging import Aging
from p4model.state.errors import AlreadyExists, InvalidArgument, NoSpace, NotFound, NotSupported
from p4model.state.matching import matcher_for
from p4model.state.record import EntryKey, Record, entry_key

_COUNT_MASK = (1 << 64) - 1


class MatchTable:
    """The entries of one table. Keys, actions and arguments are taken to be of the widths that `info` says."""

    def __init__(self, info: TableInfo) -> None:
        self.info = info
        self._matcher = matcher_for(info.keys)
        self._records = self._matcher.entries
        self._find = self._matcher.find
        self.default = self._program_default()
        self.aging = Aging(info.name, self._records)
        for entry in info.const_entries or ():
            self._matcher.add(entry_key(info.keys, entry), Record((True, entry.action, entry.arguments)))

    # What packets do.

    def lookup(self, values: tuple[int, ...]) -> tuple[bool, int, tuple[int, ...]]:
        """Whether an entry matches, the index of the action to run, and its arguments."""
        return self._find(values, self.default).result

    def lookup_counted(self, values: tuple[int, ...], frame_bytes: int) -> tuple[bool, int, tuple[int, ...]]:
        """As `lookup`, for a table with a direct counter or an idle time-out."""
        record = self._find(values, self.default)
        record.packets = (record.packets + 1) & _COUNT_MASK
        record.octets = (record.octets + frame_bytes) & _COUNT_MASK
        record.hit = True
        return record.result

    # What a control plane does.

    @property
    def entries(self) -> Mapping[EntryKey, Record]:
        """All entries but the default one."""
        return MappingProxyType(self._records)

    def has_room(self, key: EntryKey) -> bool:
        """Whether a new entry of this key fits; real tables may refuse before they are full."""
        return len(self._records) < self.info.size

    def get(self, key: EntryKey) -> Record:
        """The entry of this key; raises NotFound."""
        try:
            return self._records[key]
        except KeyError:
            raise NotFound(f"{self.info.name}: no entry has this key") from None

    def insert(self, key: EntryKey, action: int, arguments: tuple[int, ...]) -> Record:
        """Add an entry; raises InvalidArgument, NotSupported (keyless), AlreadyExists or NoSpace."""
        info = self.info
        if info.const_entries is not None or not info.keys or info.actions[action].scope is ActionScope.DEFAULT_ONLY:
            self._refuse_insert(action)
        if key in self._records:
            raise AlreadyExists(f"{info.name}: an entry has this key")
        if not self.has_room(key):
            raise NoSpace(f"{info.name}: {len(self._records)} of {info.size} entries are used, none is free for this")
        record = Record((True, action, arguments))
        self._matcher.add(key, record)
        return record

    def modify(self, key: EntryKey, action: int, arguments: tuple[int, ...]) -> Record:
        """Change what an entry does; raises InvalidArgument or NotFound."""
        self.require_writable()
        record = self.get(key)
        self._require_scope(action, ActionScope.DEFAULT_ONLY, "an entry")
        record.result = (True, action, arguments)
        return record

    def delete(self, key: EntryKey) -> None:
        """Remove an entry; raises InvalidArgument or NotFound."""
        self.require_writable()
        self.get(key)
        self._matcher.remove(key)

    def clear(self) -> None:
        """Remove all entries and restore the default one of the program; raises InvalidArgument."""
        self.require_writable()
        self._matcher.clear()
        self.default = self._program_default()

    def set_default(self, action: int, arguments: tuple[int, ...]) -> Record:
        """Change what happens when no entry matches; raises InvalidArgument."""
        if self.info.const_default:
            raise InvalidArgument(f"{self.info.name}: the program declares its default action const")
        self._require_scope(action, ActionScope.TABLE_ONLY, "the default entry")
        self.default.result = (False, action, arguments)
        return self.default

    def reset_default(self) -> None:
        """Restore the default entry of the program."""
        self.default = self._program_default()

    def restore_default(self, saved: Record) -> None:
        """Bring the default entry back to a copy of what it was."""
        self.default = saved

    def synchronise(self) -> None:
        """Take over what direct counters have counted."""
        for record in (*self._records.values(), self.default):
            record.synchronise()

    def save(self, key: EntryKey) -> Record | None:
        """A copy of an entry for `restore`, or None if there is none."""
        record = self._records.get(key)
        return None if record is None else replace(record)

    def restore(self, key: EntryKey, saved: Record | None) -> None:
        """Bring an entry back to what `save` gave."""
        if saved is not None:
            self._matcher.add(key, saved)
        elif key in self._records:
            self._matcher.remove(key)

    def _program_default(self) -> Record:
        return Record((False, self.info.default.action, self.info.default.arguments))

    def require_writable(self) -> None:
        """Raise InvalidArgument if the program declares the entries const."""
        if self.info.const_entries is not None:
            raise InvalidArgument(f"{self.info.name}: the program declares its entries const")

    def _require_scope(self, action: int, forbidden: ActionScope, use: str) -> None:
        chosen = self.info.actions[action]
        if chosen.scope is forbidden:
            raise InvalidArgument(f"{self.info.name}: {chosen.name} is {forbidden.value}, so {use} cannot have it")

    def _refuse_insert(self, action: int) -> None:
        self.require_writable()
        if not self.info.keys:
            raise NotSupported(f"{self.info.name}: has no key, so only its default entry can be set")
        self._require_scope(action, ActionScope.DEFAULT_ONLY, "an entry")
