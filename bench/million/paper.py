"""A switch and its register of used records, of which nothing is there but the sizes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

from bfrt import Update
from fastpath.pipeline.driver import Count, End, IdleReports, Watch
from fastpath.pipeline.ledger import Ledger
from fastpath.pipeline.rows import Action, Key, Step
from fastpath.switch.network import Network
from p4model.objects import ProgramInfo


class PaperSwitch:
    """A Driver of no switch: every write succeeds, and reading finds the tables empty."""

    connected = True
    lost = 0

    def __init__(self, program: ProgramInfo) -> None:
        self._sizes: dict[str, int] = {_short(table.name): table.size for table in program.tables}
        self._sizes |= {_short(counter.name): counter.size for counter in program.counters}
        self._widths: dict[str, int] = {_short(table.name): table.keys[0].width for table in program.tables}
        [self.seen] = [each.size for each in program.registers if each.name.endswith("seen")]
        """Words of the register `seen`."""
        self._reconnected: list[Callable[[], Awaitable[None]]] = []
        self._ended = asyncio.Event()
        self.written = 0
        """Changes of entries."""
        self.ledger: Ledger

    def size(self, name: str) -> int:
        return self._sizes[name]

    def key_width(self, table: str) -> int:
        return self._widths[table]

    async def wait_connected(self) -> None:
        pass

    def on_reconnect(self, callback: Callable[[], Awaitable[None]]) -> None:
        self._reconnected.append(callback)

    async def come_back(self) -> None:
        """As after a restart."""
        for callback in self._reconnected:
            await callback()

    async def add_ports(self, network: Network) -> None:
        pass

    async def write(self, steps: Sequence[Step], *, atomic: bool = True) -> None:
        self.written += len(steps)
        # Where the request would be on its way, others have their turn.
        await asyncio.sleep(0)

    async def read(self, tables: Iterable[str]) -> dict[Key, Action]:
        return {}

    async def clear(self) -> None:
        pass

    async def count(self, counter: str, indexes: Sequence[int] | None = None) -> list[Count]:
        return [Count(0, 0)] * (self._sizes[counter] if indexes is None else len(indexes))

    async def ends(self) -> AsyncIterator[list[End]]:
        await self._ended.wait()
        nothing: list[list[End]] = []
        for ends in nothing:
            yield ends

    def watch(self, ledger: Ledger, found: IdleReports) -> Watch:
        self.ledger = ledger
        return _Unwatched()

    async def close(self) -> None:
        self._ended.set()


def _short(name: str) -> str:
    return name.rpartition(".")[2]


class _Unwatched:
    """Sweeps are called for one by one."""

    async def run(self) -> None:
        await asyncio.Event().wait()

    def restart(self) -> None:
        pass


class Silence:
    """The register `seen` of a switch without packets, and the session that clears it."""

    def __init__(self, size: int) -> None:
        self.size = size

    async def read(self, indexes: range) -> list[tuple[int, ...]]:
        return [(0,)] * len(indexes)

    async def write(self, updates: Sequence[Update], *, atomic: bool) -> None:
        pass
