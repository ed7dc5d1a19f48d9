"""All probes together: which segment belongs to which, and when the next one is due."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from random import Random

from fastpath.records import Offer
from slowpath.health.probe import Probe
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.tcp import Segment

_log = logging.getLogger(__name__)

FIRST_PORT, LAST_PORT = 61000, 65535
"""Source ports of probes: above the ports that Linux hands out by default, so that none is taken from its sockets."""


class Prober:
    """Runs probes over segments.

    `source` gives our packed address toward a server, or None if there is no route; `on_change` is
    called with the probe of each server that has come up or gone down, and the time.
    """

    def __init__(
        self,
        source: Callable[[Endpoint], bytes | None],
        random: Random,
        on_change: Callable[[Probe, float], None] = lambda probe, now: None,
    ) -> None:
        self._source = source
        self._on_change = on_change
        self._random = random
        self._port = random.randint(FIRST_PORT, LAST_PORT)
        self._running: dict[tuple[Endpoint, Endpoint], Probe] = {}
        self._addresses: set[bytes] = set()
        self._probes: list[Probe] = []
        self._learned = False
        self.next_deadline: float | None = None
        """When to call `advance`, at the latest."""

    def assign(self, probes: Sequence[Probe]) -> None:
        """Run these probes from now on; those that were there already go on."""
        self._probes = list(probes)
        kept = set(map(id, probes))
        self._running = {key: probe for key, probe in self._running.items() if id(probe) in kept}
        self._schedule()

    def take_learned(self) -> bool:
        """Whether anything new was learned since the last call: a server's options, or its very first verdict."""
        learned, self._learned = self._learned, False
        return learned

    def receive(self, segment: Segment, now: float) -> list[Segment] | None:
        """Process a segment that belongs to a probe, and return what to send; None if it is not for us."""
        if segment.destination.port < FIRST_PORT:
            return None
        probe = self._running.get((segment.source, segment.destination))
        if probe is None:
            # A server may say more than its status, for which a probe does not wait.
            late = segment.destination.address in self._addresses
            return [] if late else None
        known = (probe.offer, probe.checked, probe.member.up)
        probe.receive(segment, now)
        self._note(probe, known, now)
        segments = self._collect(probe, segment.destination)
        self._schedule()
        return segments

    def advance(self, now: float) -> list[Segment]:
        """Do what has become due by `now`, and return what to send."""
        segments: list[Segment] = []
        for probe in self._probes:
            if probe.deadline > now:
                continue
            known = (probe.offer, probe.checked, probe.member.up)
            try:
                segments += self._advance(probe, now)
            except Exception:
                # One server may suffer from a defect of ours, the others must not.
                _log.exception("a probe of %s was given up", probe.target)
                probe.abandon(now)
            self._note(probe, known, now)
        self._schedule()
        return segments

    def _advance(self, probe: Probe, now: float) -> list[Segment]:
        source = probe.connection.local if probe.connection is not None else self._next_source(probe)
        if source is None:
            probe.unreachable(now)
            return []
        probe.advance(now, source, self._random.getrandbits(32))
        if probe.connection is not None:
            self._running[probe.connection.remote, source] = probe
        return self._collect(probe, source)

    def _note(self, probe: Probe, known: tuple[Offer | None, bool, bool], now: float) -> None:
        """Tell what a step has changed of what was `known`: options, whether it was checked, and whether it is up."""
        offer, checked, up = known
        self._learned |= (offer, checked) != (probe.offer, probe.checked)
        if up != probe.member.up:
            self._on_change(probe, now)

    def _next_source(self, probe: Probe) -> Endpoint | None:
        address = self._source(probe.target)
        if address is None:
            return None
        self._addresses.add(address)
        self._port = FIRST_PORT if self._port == LAST_PORT else self._port + 1
        return Endpoint(address, self._port)

    def _collect(self, probe: Probe, source: Endpoint) -> list[Segment]:
        remote = probe.connection.remote if probe.connection is not None else None
        segments = probe.take_segments()
        if probe.connection is None and remote is not None:
            self._running.pop((remote, source), None)
        return segments

    def _schedule(self) -> None:
        self.next_deadline = min((probe.deadline for probe in self._probes), default=None)
