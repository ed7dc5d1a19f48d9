"""The program on a Tofino chip or its model, through BfRt."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

import grpc

import bfrt
from bfrt import Packer, Prefix, SchemaError, Session, Stream, Update, WriteFailed
from fastpath.errors import Unavailable
from fastpath.pipeline.driver import Count, End, IdleReports, Refusal
from fastpath.pipeline.ledger import Ledger
from fastpath.pipeline.rows import (
    CONNECTIONS,
    ENDED,
    OUTCOMES,
    OVERRIDES,
    PREFIXED,
    TABLES,
    TRAFFIC,
    Action,
    Change,
    Key,
    Step,
)
from fastpath.switch.network import Network
from fastpath.tofino import ports
from fastpath.tofino.sweep import Sweep

_PACKED = {CONNECTIONS: ("spliced",), OVERRIDES: ("to_server", "to_client")}
"""The actions of the tables of records."""
_READ_TIMEOUT, _CLEAR_TIMEOUT = 120.0, 30.0
"""Seconds: a full table of records comes in one answer."""


class BfrtDriver:
    """A Driver of the program that `session` is bound to; raises Unavailable where it is another one."""

    def __init__(self, session: Session) -> None:
        self._session = session
        try:
            self._tables = {name: session.table(name) for name in TABLES}
            self._counters = {name: session.counter(name) for name in (TRAFFIC, OUTCOMES)}
            self._seen = session.register("seen")
            self._ended: Stream[tuple[int, ...]] = session.digests(ENDED)
            self._inserters: dict[tuple[str, str], Packer] = {
                (name, action): self._tables[name].packer(action)
                for name, actions in _PACKED.items()
                for action in actions
            }
            self._deleters: dict[str, Packer] = {name: self._tables[name].deleter() for name in _PACKED}
        except SchemaError as error:
            raise Unavailable(f"the switch runs another program: {error}") from error

    @property
    def lost(self) -> int:
        """Digests that were dropped on their way to the reader."""
        return self._ended.lost + self._session.lost

    def size(self, name: str) -> int:
        """As the program was compiled."""
        return (self._tables.get(name) or self._counters[name]).size

    def key_width(self, table: str) -> int:
        """As the program was compiled."""
        return self._tables[table].schema.key[0].width

    async def wait_connected(self) -> None:
        """Wait for the session."""
        try:
            await self._session.wait_connected()
        except bfrt.BfrtError as error:
            raise Unavailable(str(error)) from error

    def on_reconnect(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Have the session call back."""
        self._session.on_reconnect(callback)

    async def add_ports(self, network: Network) -> None:
        """Add those that have a speed."""
        await ports.add(self._session, network)

    async def write(self, steps: Sequence[Step], *, atomic: bool = True) -> None:
        """One request."""
        try:
            await self._session.write([self._update(step) for step in steps], atomic=atomic, ignore_missing=not atomic)
        except WriteFailed as error:
            raise _refusal(error, steps) from error
        except bfrt.BfrtError as error:
            raise Unavailable(str(error)) from error

    async def read(self, tables: Iterable[str]) -> dict[Key, Action]:
        """A request for each table."""
        found: dict[Key, Action] = {}
        try:
            for name in tables:
                async for key, action in self._entries(name):
                    found[name, key] = action
        except bfrt.BfrtError as error:
            raise Unavailable(str(error)) from error
        return found

    async def clear(self) -> None:
        """A request for each table, what refers to others first."""
        try:
            for name in reversed(TABLES):
                await self._tables[name].clear(timeout=_CLEAR_TIMEOUT)
        except bfrt.BfrtError as error:
            raise Unavailable(str(error)) from error

    async def count(self, counter: str, indexes: Sequence[int] | None = None) -> list[Count]:
        """Have the server read the whole counter, then ask for the values."""
        if indexes is not None and not indexes:
            return []
        table = self._counters[counter]
        try:
            await table.sync()
            return [Count(*found) for found in await table.read(indexes, from_hw=False)]
        except bfrt.BfrtError as error:
            raise Unavailable(str(error)) from error

    async def ends(self) -> AsyncIterator[list[End]]:
        """The digests of one stream: for one reader."""
        async for digests in self._ended:
            yield [End(*members) for members in digests]

    def watch(self, ledger: Ledger, idle_after: float, found: IdleReports) -> Sweep:
        """Look at the bits of the register `seen`."""
        return Sweep(self._session, self._seen, ledger, idle_after, found)

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()

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


def _refusal(error: WriteFailed, steps: Sequence[Step]) -> Refusal:
    keys = [(steps[failure.index].key, failure.code) for failure in error.failures]
    return Refusal(
        str(error),
        full=[key for key, code in keys if code is grpc.StatusCode.RESOURCE_EXHAUSTED],
        wrong=[key for key, code in keys if code is not grpc.StatusCode.RESOURCE_EXHAUSTED],
    )


def _match(table: str, key: tuple[int, ...]) -> tuple[int | Prefix, ...]:
    return (Prefix(*key),) if table in PREFIXED else key


def _integers(values: Iterable[object]) -> tuple[int, ...]:
    """The values of the program's own fields, which are all integers."""
    return tuple(value for value in values if isinstance(value, int))
