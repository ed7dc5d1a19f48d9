"""What arrives from the fast path, given to whom it is for: packets to a probe or the engine, reports to the engine."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from fastpath.frame import Punt
from fastpath.interface import Admitted, Batch, Closed, Idle
from fastpath.records import Reason
from slowpath.health.prober import FIRST_PORT
from slowpath.splicing.statistics import Statistics
from slowpath.wire import tcp
from slowpath.wire.tcp import MalformedPacket, Segment

_log = logging.getLogger(__name__)


class Engine(Protocol):
    """What a Splicer has for what arrives."""

    @property
    def statistics(self) -> Statistics:
        """What was counted so far."""

    def receive(self, punt: Punt, segment: Segment, now: float) -> None:
        """Process a punted packet, given as it came and parsed."""

    def notice(self, punt: Punt, now: float) -> None:
        """Process what was punted because of the path."""

    def admitted(self, report: Admitted, now: float) -> None:
        """Take over a connection that the fast path has opened."""

    def closed(self, report: Closed, now: float) -> None:
        """Process the end of a splice."""

    def idle(self, report: Idle, now: float) -> None:
        """Process the silence of a splice."""


class Arrivals:
    """Gives `engine` what is not a probe's; `probe` takes a segment, and says whether it was."""

    def __init__(self, engine: Engine, probe: Callable[[Segment, float], bool]) -> None:
        self._engine = engine
        self._probe = probe

    def take(self, batch: Batch, now: float) -> None:
        """Process all of a batch; `now` is seconds of the monotonic clock."""
        engine = self._engine
        statistics = engine.statistics
        statistics.packets_in += len(batch.punts)
        for admitted in batch.admitted:
            engine.admitted(admitted, now)
        # Before the packets: what ends may be followed by a SYN from the same port.
        for closed in batch.closed:
            engine.closed(closed, now)
        for punt in batch.punts:
            try:
                self._take(punt, now)
            except MalformedPacket:
                statistics.drops["malformed"] += 1
            except Exception:
                # One connection may suffer from a defect of ours, the others must not.
                _log.exception("a packet was dropped: port %d, %s", punt.port, punt.packet[:80].hex())
                statistics.drops["defect"] += 1
        for idle in batch.idle:
            engine.idle(idle, now)

    def _take(self, punt: Punt, now: float) -> None:
        if punt.reason is Reason.ICMP or punt.reason is Reason.MTU:
            self._engine.notice(punt, now)
            return
        segment = tcp.parse(punt.packet, checksum_known=punt.checksum_known)
        # Nearly all are told by their port: they are no probe's.
        if segment.destination[1] < FIRST_PORT or not self._probe(segment, now):
            self._engine.receive(punt, segment, now)
