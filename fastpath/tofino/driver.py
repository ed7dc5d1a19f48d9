"""The program on a Tofino chip or its model, through BfRt."""

from __future__ import annotations

from collections.abc import Sequence

from bfrt import CounterTable, SchemaError, Session, Update
from fastpath.errors import Unavailable
from fastpath.pipeline.driver import IdleReports
from fastpath.pipeline.ledger import Ledger
from fastpath.pipeline.session_driver import SessionDriver
from fastpath.switch.network import Network
from fastpath.tofino import ports
from fastpath.tofino.sweep import Sweep

_ENDED = "ended"
"""The digest that reports ends."""


class BfrtDriver(SessionDriver[Update, CounterTable]):
    """A Driver of the program that `session` is bound to; raises Unavailable where it is another one."""

    def __init__(self, session: Session, idle_after: float) -> None:
        """Splices without a packet for `idle_after` seconds are reported."""
        super().__init__(session, _ENDED)
        self._bfrt, self._idle_after = session, idle_after
        try:
            self._seen = session.register("seen")
        except SchemaError as error:
            raise Unavailable(f"the switch runs another program: {error}") from error

    async def add_ports(self, network: Network) -> None:
        """Add those that have a speed."""
        await ports.add(self._bfrt, network)

    def watch(self, ledger: Ledger, found: IdleReports) -> Sweep:
        """Look at the bits of the register `seen`."""
        return Sweep(self._bfrt, self._seen, ledger, self._idle_after, found)

    async def _values(self, counter: CounterTable, indexes: Sequence[int] | None) -> Sequence[tuple[int, int]]:
        """Have the server read the whole counter, then ask for the values."""
        await counter.sync()
        return await counter.read(indexes, from_hw=False)
