"""Rows in the switch's tables, through BfRt."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence

import grpc

import bfrt
from bfrt import Packer, Prefix, SchemaError, Session, Update, WriteFailed
from fastpath.errors import FastPathError, Unavailable
from fastpath.tofino.rows import CONNECTIONS, OVERRIDES, TABLES, Action, Change, Key, Step

_PREFIXED = frozenset({"routes"})
"""Tables whose key is a prefix: one field, written as value and length."""
_PACKED = {CONNECTIONS: ("spliced",), OVERRIDES: ("to_server", "to_client")}
"""The actions of the tables of records."""
_READ_TIMEOUT, _CLEAR_TIMEOUT = 120.0, 30.0
"""Seconds: a full table of records comes in one answer."""


class Refusal(FastPathError):
    """The server refused entries: `full` has those that found no room, `wrong` those that are not as we think."""

    def __init__(self, error: WriteFailed, steps: Sequence[Step]) -> None:
        super().__init__(str(error))
        keys = [(steps[failure.index].key, failure.code) for failure in error.failures]
        self.full = [key for key, code in keys if code is grpc.StatusCode.RESOURCE_EXHAUSTED]
        self.wrong = [key for key, code in keys if code is not grpc.StatusCode.RESOURCE_EXHAUSTED]


class Tables:
    """The tables of the program that a session is bound to; raises Unavailable where it lacks one of them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        try:
            self._tables = {name: session.table(name) for name in TABLES}
            self._inserters: dict[tuple[str, str], Packer] = {
                (name, action): self._tables[name].packer(action)
                for name, actions in _PACKED.items()
                for action in actions
            }
            self._deleters: dict[str, Packer] = {name: self._tables[name].deleter() for name in _PACKED}
        except SchemaError as error:
            raise Unavailable(f"the switch runs another program: {error}") from error

    def size(self, table: str) -> int:
        """How many entries a table was made for."""
        return self._tables[table].size

    def key_width(self, table: str) -> int:
        """The bits of the first key field of a table."""
        return self._tables[table].schema.key[0].width

    async def write(self, steps: Sequence[Step], *, atomic: bool = True) -> None:
        """Carry out `steps` in one request: all or none if `atomic`, else those that can be.

        Deleting what is not there is no failure unless it is atomic. Raises Refusal and Unavailable; after that
        one it is not known what was done.
        """
        try:
            await self._session.write([self._update(step) for step in steps], atomic=atomic, ignore_missing=not atomic)
        except WriteFailed as error:
            raise Refusal(error, steps) from error
        except bfrt.BfrtError as error:
            raise Unavailable(str(error)) from error

    async def read(self, tables: Iterable[str]) -> dict[Key, Action]:
        """All entries of `tables`; raises Unavailable."""
        found: dict[Key, Action] = {}
        try:
            for name in tables:
                async for key, action in self._entries(name):
                    found[name, key] = action
        except bfrt.BfrtError as error:
            raise Unavailable(str(error)) from error
        return found

    async def clear(self) -> None:
        """Delete every entry of every table; raises Unavailable."""
        try:
            for name in reversed(TABLES):
                await self._tables[name].clear(timeout=_CLEAR_TIMEOUT)
        except bfrt.BfrtError as error:
            raise Unavailable(str(error)) from error

    async def _entries(self, name: str) -> AsyncIterator[tuple[tuple[int, ...], Action]]:
        async for entry in self._tables[name].entries(timeout=_READ_TIMEOUT):
            key = [number for value in entry.key for number in (value if isinstance(value, Prefix) else (value,))]
            action = (entry.action or "").rpartition(".")[2]
            yield _integers(key), (action, _integers(entry.arguments))

    def _update(self, step: Step) -> Update:
        name, key = step.key
        if step.action is None:
            return (
                self._deleters[name](key, ())
                if name in self._deleters
                else self._tables[name].delete(_match(name, key))
            )
        action, arguments = step.action
        if step.change is Change.MODIFY:
            return self._tables[name].modify(_match(name, key), action, arguments)
        if name in _PACKED:
            return self._inserters[name, action](key, arguments)
        return self._tables[name].insert(_match(name, key), action, arguments)


def _match(table: str, key: tuple[int, ...]) -> tuple[int | Prefix, ...]:
    return (Prefix(*key),) if table in _PREFIXED else key


def _integers(values: Iterable[object]) -> tuple[int, ...]:
    """The values of the program's own fields, which are all integers."""
    return tuple(value for value in values if isinstance(value, int))
