"""What a `SessionDriver` needs of a client library: the sessions and tables of `bfrt` and `p4rt` have this shape."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from rpc.fields import Field
from rpc.packer import Packer
from rpc.stream import Stream
from rpc.values import KeyValue

_U = TypeVar("_U")
"""An update."""
_U_co = TypeVar("_U_co", covariant=True)
_C_co = TypeVar("_C_co", covariant=True)
"""A counter."""


class Schema(Protocol):
    """What is known of a table."""

    @property
    def key(self) -> Sequence[Field]:
        """The fields of its key."""


class Entry(Protocol):
    """An entry that was read."""

    @property
    def key(self) -> Sequence[KeyValue]:
        """The values of its key fields."""

    @property
    def action(self) -> str | None:
        """The full name of its action."""

    @property
    def arguments(self) -> Sequence[object]:
        """The arguments of its action."""


class Sized(Protocol):
    """A table or counter."""

    @property
    def size(self) -> int:
        """How many entries or values it was made for."""


class Table(Sized, Protocol[_U_co]):
    """A match-action table. What makes updates raises SchemaError."""

    @property
    def schema(self) -> Schema:
        """What is known of it."""

    def insert(self, key: Sequence[KeyValue], action: str, arguments: Sequence[int]) -> _U_co:
        """A new entry."""

    def modify(self, key: Sequence[KeyValue], action: str, arguments: Sequence[int]) -> _U_co:
        """Another action for an entry."""

    def delete(self, key: Sequence[KeyValue]) -> _U_co:
        """No entry."""

    def packer(self, action: str) -> Packer[_U_co]:
        """A faster `insert`."""

    def deleter(self) -> Packer[_U_co]:
        """A faster `delete`."""

    def entries(self, *, timeout: float | None = None) -> AsyncIterator[Entry]:
        """Every entry; raises RpcError."""

    async def clear(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 (an RPC's deadline)
        """Delete every entry; raises RpcError."""


class Session(Protocol[_U, _C_co]):
    """A session with a switch, which connects again by itself."""

    @property
    def connected(self) -> bool:
        """Whether requests can be made."""

    @property
    def lost(self) -> int:
        """Notifications that nobody will hear of."""

    def table(self, name: str) -> Table[_U]:
        """A table of the program; raises SchemaError."""

    def counter(self, name: str) -> _C_co:
        """A counter of the program; raises SchemaError."""

    def digests(self, name: str) -> Stream[tuple[int, ...]]:
        """The digests of that name; raises SchemaError."""

    async def wait_connected(self) -> None:
        """Wait until `connected`; raises RpcError after `close`."""

    def on_reconnect(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Have `callback` awaited after every new connection but the first."""

    async def write(self, updates: Sequence[_U], *, atomic: bool = True, ignore_missing: bool = False) -> None:
        """Apply updates; raises WriteFailed and other RpcErrors."""

    async def close(self) -> None:
        """End it."""
