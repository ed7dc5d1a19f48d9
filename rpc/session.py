"""A client's session with a server, which outlives its connections."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from rpc.connection import Connection
from rpc.errors import Unavailable
from rpc.keeper import Keeper
from rpc.notifications import Notifications
from rpc.pauses import pauses
from rpc.stream import Stream

_C = TypeVar("_C", bound=Connection[Any, Any])
_Idle = TypeVar("_Idle")
_T = TypeVar("_T")


class Session(ABC, Generic[_C, _Idle]):
    """Connects again by itself, for ever, whenever the connection ends.

    Every time a request ends with Unavailable, the session gives the connection up and makes a new one, and the
    callbacks of `on_reconnect` run: what a server that vanished did with the request is found out there.
    """

    def __init__(
        self, address: str, notifications: Notifications[Any, Any, _Idle], jitter: Callable[[], float]
    ) -> None:
        """`jitter` gives numbers from 0 to below 1, for the pauses between attempts."""
        self._notifications = notifications
        self._keeper: Keeper[_C] = Keeper(address, self._connect, notifications.receive, lambda: pauses(jitter))

    @property
    def connected(self) -> bool:
        """Whether a connection stands, and the callbacks after its beginning have run."""
        return self._keeper.connected

    @property
    def lost(self) -> int:
        """Notifications dropped because nobody had asked for them, or that could not be understood."""
        return self._notifications.lost

    async def wait_connected(self) -> None:
        """Wait until `connected`; raises Unavailable when the session is closed."""
        await self._keeper.wait_connected()

    def on_reconnect(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Have `callback` awaited after every new connection but the first; the server may have lost its state.

        Requests work in it. If it raises, the error is logged and the connection is made anew, after a pause.
        """
        self._keeper.on_reconnect(callback)

    def idle(self) -> Stream[_Idle]:
        """A stream of idle-time notifications, of every table; survives reconnects, ends with the session."""
        return self._notifications.idle()

    async def close(self) -> None:
        """End the session, its streams, and its place on the server. Table entries stay there."""
        await self._keeper.close()
        self._notifications.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @abstractmethod
    async def _connect(self) -> _C:
        """One more connection; raises an RpcError."""

    async def _request(self, ask: Callable[[_C], Awaitable[_T]]) -> _T:
        """What `ask` gives of the connection, which is given up if it fails."""
        connection = self._keeper.standing()
        try:
            return await ask(connection)
        except Unavailable:
            self._keeper.drop(connection)
            raise
