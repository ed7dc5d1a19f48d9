"""What the fast path needs of a switch: the program's tables, counters and reports, by whatever protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from fastpath.errors import FastPathError
from fastpath.interface import Idle
from fastpath.pipeline.ledger import Ledger
from fastpath.pipeline.rows import Action, Key, Step
from fastpath.switch.network import Network


class Count(NamedTuple):
    """A value of a counter; `bytes` are those of whole frames, and mean nothing where it counts packets alone."""

    packets: int
    bytes: int


class End(NamedTuple):
    """A translated segment with FIN or RST, as it left: addresses and ports as integers, and its TCP flags."""

    source_address: int
    source_port: int
    destination_address: int
    destination_port: int
    flags: int


class Refusal(FastPathError):
    """The switch refused entries: `full` are those that found no room, `wrong` those that are not as we think."""

    def __init__(self, text: str, *, full: Sequence[Key], wrong: Sequence[Key]) -> None:
        super().__init__(text)
        self.full, self.wrong = full, wrong


IdleReports: TypeAlias = Callable[[list[Idle]], None]


class Watch(Protocol):
    """Tells which splices are idle."""

    async def run(self) -> None:
        """Report idle splices, again and again until they are removed or used; runs until cancelled."""

    def restart(self) -> None:
        """What the switch knew of their use may be lost: take every splice as just used."""


class Driver(Protocol):
    """The program on one target. It connects again by itself, for ever, whenever the connection ends.

    Every request raises Unavailable without a connection, or when that ends before the answer has come: then it is
    not known what was done.
    """

    @property
    def connected(self) -> bool:
        """Whether requests can be made."""

    @property
    def lost(self) -> int:
        """Reports that nobody will hear of."""

    def size(self, name: str) -> int:
        """How many entries a table, or values a counter, was made for."""

    def key_width(self, table: str) -> int:
        """The bits of the first key field of a table."""

    async def wait_connected(self) -> None:
        """Wait for a connection on which requests can be made; raises Unavailable after `close`."""

    def on_reconnect(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Have `callback` awaited after every new connection but the first: the switch may have lost everything."""

    async def add_ports(self, network: Network) -> None:
        """Set up those ports of `network` that the switch does not have yet; raises Rejected and Unavailable."""

    async def write(self, steps: Sequence[Step], *, atomic: bool = True) -> None:
        """Carry out `steps` in this order: all or none if `atomic`, else those that can be.

        Deleting what is not there is no failure unless it is atomic. Raises Refusal and Unavailable.
        """

    async def read(self, tables: Iterable[str]) -> dict[Key, Action]:
        """All entries of `tables`; raises Unavailable."""

    async def clear(self) -> None:
        """Delete every entry of every table of `rows.TABLES`; raises Unavailable."""

    async def count(self, counter: str, indexes: Sequence[int] | None = None) -> list[Count]:
        """The values of a counter at `indexes`, or all in order; raises Unavailable."""

    def ends(self) -> AsyncIterator[list[End]]:
        """Reports of translated FINs and RSTs, in batches; survives reconnects, ends after `close`."""

    def watch(self, ledger: Ledger, found: IdleReports) -> Watch:
        """What hands the splices of `ledger` without a packet for too long to `found`; once, at first."""

    async def close(self) -> None:
        """Leave the switch; idempotent."""
