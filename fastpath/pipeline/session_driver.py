"""The Driver by way of a client library's session: all that does not differ by protocol."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, Generic, TypeVar

from grpc import StatusCode

from fastpath.errors import Unavailable
from fastpath.pipeline.client import Session, Sized, Table
from fastpath.pipeline.driver import Count, End, IdleReports, Refusal, Watch
from fastpath.pipeline.ledger import Ledger
from fastpath.pipeline.rows import (
    CONNECTIONS,
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
from rpc.errors import RpcError, SchemaError
from rpc.failures import WriteFailed
from rpc.packer import Packer
from rpc.values import Prefix

_RECORD_ACTIONS = {CONNECTIONS: ("spliced",), OVERRIDES: ("to_server", "to_client")}
"""The actions of the tables of records."""
_READ_TIMEOUT, _CLEAR_TIMEOUT = 120.0, 30.0
"""Seconds: a full table of records comes in one answer."""

_U = TypeVar("_U")
"""An update of the library's."""
_C = TypeVar("_C", bound=Sized)
"""A counter of the library's."""


class SessionDriver(ABC, Generic[_U, _C]):
    """A Driver of the program that a session is bound to; raises Unavailable where that is another one."""

    _FULL: ClassVar[frozenset[StatusCode]] = frozenset({StatusCode.RESOURCE_EXHAUSTED})
    """How the server refuses an entry for which it has no room."""

    def __init__(self, session: Session[_U, _C], digest: str) -> None:
        """`digest` is the name of the one that reports ends."""
        self._session = session
        try:
            self._tables: dict[str, Table[_U]] = {name: session.table(name) for name in TABLES}
            self._counters = {name: session.counter(name) for name in (TRAFFIC, OUTCOMES)}
            self._ended = session.digests(digest)
            self._inserters = {
                (name, action): self._inserter(name, action)
                for name, actions in _RECORD_ACTIONS.items()
                for action in actions
            }
            self._deleters = {name: self._tables[name].deleter() for name in _RECORD_ACTIONS}
        except SchemaError as error:
            raise Unavailable(f"the switch runs another program: {error}") from error

    @property
    def connected(self) -> bool:
        """As the session."""
        return self._session.connected

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
        with unavailable():
            await self._session.wait_connected()

    def on_reconnect(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Have the session call back."""
        self._session.on_reconnect(callback)

    @abstractmethod
    async def add_ports(self, network: Network) -> None:
        """As Driver."""

    async def write(self, steps: Sequence[Step], *, atomic: bool = True) -> None:
        """One request."""
        with unavailable():
            try:
                updates = [self._update(step) for step in steps]
                await self._session.write(updates, atomic=atomic, ignore_missing=not atomic)
            except WriteFailed as error:
                raise self._refusal(error, steps) from error

    async def read(self, tables: Iterable[str]) -> dict[Key, Action]:
        """A request for each table."""
        found: dict[Key, Action] = {}
        with unavailable():
            for name in tables:
                async for key, action in self._entries(name):
                    found[name, key] = action
        return found

    async def clear(self) -> None:
        """Table by table, what refers to others first."""
        with unavailable():
            for name in reversed(TABLES):
                await self._tables[name].clear(timeout=_CLEAR_TIMEOUT)

    async def count(self, counter: str, indexes: Sequence[int] | None = None) -> list[Count]:
        """One request, or as many as the library needs."""
        if indexes is not None and not indexes:
            return []
        with unavailable():
            return [Count(*found) for found in await self._values(self._counters[counter], indexes)]

    async def ends(self) -> AsyncIterator[list[End]]:
        """The digests of one stream: for one reader."""
        async for digests in self._ended:
            yield [End(*members) for members in digests]

    @abstractmethod
    def watch(self, ledger: Ledger, found: IdleReports) -> Watch:
        """As Driver."""

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()

    # What protocols do in their own ways

    @abstractmethod
    async def _values(self, counter: _C, indexes: Sequence[int] | None) -> Sequence[tuple[int, int]]:
        """Packets and bytes of a counter at `indexes`, or all in order; raises RpcError."""

    def _inserter(self, table: str, action: str) -> Packer[_U]:
        """What makes new entries of a table of records; raises SchemaError."""
        return self._tables[table].packer(action)

    def _modification(self, table: str, key: tuple[int, ...], action: str, arguments: tuple[int, ...]) -> _U:
        """Another action for an entry."""
        return self._tables[table].modify(_match(table, key), action, arguments)

    # Rows

    async def _entries(self, name: str) -> AsyncIterator[tuple[tuple[int, ...], Action]]:
        async for entry in self._tables[name].entries(timeout=_READ_TIMEOUT):
            action = (entry.action or "").rpartition(".")[2]
            yield plain_key(entry.key), (action, _integers(entry.arguments))

    def _update(self, step: Step) -> _U:
        name, key = step.key
        if step.action is None:
            return (
                self._deleters[name](key, ())
                if name in self._deleters
                else self._tables[name].delete(_match(name, key))
            )
        action, arguments = step.action
        if step.change is Change.MODIFY:
            return self._modification(name, key, action, arguments)
        if name in _RECORD_ACTIONS:
            return self._inserters[name, action](key, arguments)
        return self._tables[name].insert(_match(name, key), action, arguments)

    def _refusal(self, error: WriteFailed, steps: Sequence[Step]) -> Refusal:
        refused = [(steps[failure.index], failure.code) for failure in error.failures]
        full = [step.key for step, code in refused if step.change is Change.INSERT and code in self._FULL]
        return Refusal(str(error), full=full, wrong=[step.key for step, _ in refused if step.key not in full])


@contextmanager
def unavailable() -> Iterator[None]:
    """Raise Unavailable for every RpcError."""
    try:
        yield
    except RpcError as error:
        raise Unavailable(str(error)) from error


def plain_key(values: Iterable[object]) -> tuple[int, ...]:
    """The key of an entry as the rows have it."""
    return _integers(number for value in values for number in (value if isinstance(value, Prefix) else (value,)))


def _match(table: str, key: tuple[int, ...]) -> tuple[int | Prefix, ...]:
    return (Prefix(*key),) if table in PREFIXED else key


def _integers(values: Iterable[object]) -> tuple[int, ...]:
    """The values of the program's own fields, which are all integers."""
    return tuple(value for value in values if isinstance(value, int))
