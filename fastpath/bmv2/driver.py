"""The program on bmv2 or in the interpreter, through P4Runtime."""

from __future__ import annotations

from collections.abc import Sequence

from grpc import StatusCode

from fastpath.bmv2.idle import IdleWatch
from fastpath.errors import Rejected
from fastpath.pipeline.driver import IdleReports
from fastpath.pipeline.ledger import Ledger
from fastpath.pipeline.rows import RECORDS
from fastpath.pipeline.session_driver import SessionDriver
from fastpath.switch.network import Network
from p4rt import CounterTable, Packer, Session, Update

ENDED = "ended_t"
"""The digest that reports ends: P4Runtime calls it by its type."""
_DROP_PORT = 511
"""v1model sends what is for this port nowhere."""


class P4RuntimeDriver(SessionDriver[Update, CounterTable]):
    """A Driver of the program that `session` has set; raises Unavailable where it is another one.

    A server may reorder a batch (P4Runtime, "Batching and Ordering of Updates"), though bmv2 does not. Then a packet
    may meet a record before its path, or neither the record's old entry nor its new one, and is punted, which is no
    harm; what must not be seen in another order, the groups and what refers to them, never is in one batch.
    """

    # bmv2 says UNKNOWN for whatever its tables refuse, and they refuse entries for want of room alone.
    _FULL = frozenset({StatusCode.RESOURCE_EXHAUSTED, StatusCode.UNKNOWN})

    def __init__(self, session: Session, idle_after: float) -> None:
        """Splices without a packet for `idle_after` seconds are reported."""
        # What makes new entries is made at once, and needs both.
        self._p4runtime = session
        self._idle_after = idle_after
        super().__init__(session, ENDED)
        self._records = {name: session.table(name) for name in RECORDS}

    async def add_ports(self, network: Network) -> None:
        """Only look at them: the switch was started with its ports."""
        for port in network.ports:
            if port.number == _DROP_PORT:
                raise Rejected(f"port {port.number}: v1model drops what is sent there; use another number")
            if port.speed is not None or port.fec is not None:
                raise Rejected(f"port {port.number}: its interface has a speed already; leave speed and fec out")

    def watch(self, ledger: Ledger, found: IdleReports) -> IdleWatch:
        """Listen to idle notifications."""
        return IdleWatch(self._records, self._p4runtime.idle(), ledger, self._idle_after, found)

    async def _values(self, counter: CounterTable, indexes: Sequence[int] | None) -> Sequence[tuple[int, int]]:
        return await counter.read(indexes)

    def _inserter(self, table: str, action: str) -> Packer:
        return self._p4runtime.table(table).packer(action, idle_timeout=self._idle_after)

    def _modification(self, table: str, key: tuple[int, ...], action: str, arguments: tuple[int, ...]) -> Update:
        if table not in self._records:
            return super()._modification(table, key, action, arguments)
        # An update without a time-out ends the ageing of its entry.
        return self._records[table].modify(key, action, arguments, idle_timeout=self._idle_after)
