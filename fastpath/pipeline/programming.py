"""Keeps the switch's tables as the ledger and the settings want them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from fastpath.errors import FastPathError, TableFull, Unavailable
from fastpath.pipeline import reconciliation, surroundings
from fastpath.pipeline.driver import Driver, Refusal
from fastpath.pipeline.groups import Groups, group
from fastpath.pipeline.ledger import Batch, Ledger
from fastpath.pipeline.paths import Path, Paths
from fastpath.pipeline.rows import (
    CONNECTIONS,
    GROUPS,
    PER_WRITE,
    SURROUNDINGS,
    Action,
    Change,
    Key,
    Step,
    applied,
    difference,
)
from fastpath.pipeline.rows import in_tables as of
from fastpath.pipeline.settings import Capacities, Settings
from fastpath.pipeline.surroundings import Hops
from fastpath.records import Flow, Splice
from fastpath.switch.network import Neighbour, Network

_log = logging.getLogger(__name__)

_REFUSALS = 8
"""How many records of one batch `connections` may refuse before the batch is."""
_CROWDED = 0.75
"""The share of paths in use above which unused ones are given up early."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the tables around the records are made from."""

    settings: Settings = field(default_factory=Settings)
    resolved: Mapping[Neighbour, bytes] = field(default_factory=dict)
    hops: Hops = field(default_factory=Hops)
    groups: Groups = field(default_factory=Groups)


class Programming:
    """The only one who writes to the program's tables.

    After a request of which it is not known what it did, and after a reconnect, `agreed` is False, and what
    would need the tables raises Unavailable until `reconcile` has made them what they should be.
    """

    def __init__(
        self,
        driver: Driver,
        network: Network,
        ledger: Ledger,
        paths: Paths,
        capacities: Capacities,
        on_disagreement: Callable[[], None],
    ) -> None:
        self._driver, self._network = driver, network
        self._ledger, self._paths = ledger, paths
        self._capacities = capacities
        self._on_disagreement = on_disagreement
        self._around = Around()
        self._rows: dict[Key, Action] = {}
        """What is in the tables around the records, while agreed."""
        self._edition = 0
        """Grows with every change that reconciling must not miss."""
        self._removed: list[Batch] = []
        """Removals since reconciling began."""
        self._writing = asyncio.Lock()
        self.agreed = False
        self.reconciliations = 0
        """How often the tables were made what they should be."""

    def disagree(self, why: str) -> None:
        """Trust the tables no more."""
        if self.agreed:
            _log.warning("the switch's tables are compared with what they should be: %s", why)
        self.agreed = False
        # Reconciling may have read its tables already.
        self._edition += 1
        self._on_disagreement()

    # Records

    async def install(self, splices: Sequence[Splice], now: float) -> None:
        """Add or replace splices; raises TableFull, Rejected or Unavailable."""
        await self._carry_out(lambda refused: self._ledger.install(splices, refused, now))

    async def update(self, splices: Sequence[Splice], now: float) -> None:
        """Replace splices; raises Rejected, TableFull or Unavailable."""
        await self._carry_out(lambda refused: self._ledger.update(splices, refused, now))

    async def remove(self, flows: Sequence[Flow]) -> None:
        """Forget splices at once, and their entries as soon as the switch can be reached."""
        async with self._writing:
            batch = self._ledger.remove(flows)
            self._ledger.commit(batch)
            if not self.agreed:
                self._removed.append(batch)
                return
            try:
                await self._write(_deletions(batch), atomic=False)
            except (Refusal, Unavailable) as error:
                self.disagree(str(error))

    async def clear_way(self, flow: Flow) -> bool:
        """Move the record that is in the way of `flow` (`Ledger.is_clear`); returns whether it is gone."""
        try:
            async with self._writing:
                self._require_agreed()
                batch = self._ledger.clear_way(flow)
                await self._write(difference(*batch.rows()))
                self._ledger.commit(batch)
        except FastPathError as error:
            # Whoever can choose source ports can have this as often as they like.
            _log.debug("%s has to wait for a record in its way: %s", flow, error)
            return False
        return True

    async def _carry_out(self, plan: Callable[[Collection[Flow]], Batch]) -> None:
        """Write what `plan` finds good, given the flows that found no room in `connections`."""
        refused: set[Flow] = set()
        async with self._writing:
            while True:
                self._require_agreed()
                batch = plan(refused)
                paths = self._new_paths(batch)
                try:
                    await self._write([*paths, *difference(*batch.rows())])
                except Refusal as refusal:
                    more = self._without_room(batch, refusal) - refused
                    refused |= more
                    if not more or len(refused) > _REFUSALS:
                        raise TableFull(f"connections refused {len(refused)} of {len(batch.new)} splices") from refusal
                else:
                    break
            applied(self._rows, paths)
            self._ledger.commit(batch)

    def _new_paths(self, batch: Batch) -> list[Step]:
        """What adds the paths of `batch` that are not there."""
        paths = {record.through: record.path for record in batch.new}
        rows = surroundings.of_paths(paths.items(), self._around.hops)
        return [Step(Change.INSERT, key, action) for key, action in rows if key not in self._rows]

    def _without_room(self, batch: Batch, refusal: Refusal) -> set[Flow]:
        """The flows of the records that `connections` refused; raises TableFull or Unavailable for all else."""
        if refusal.wrong or not refusal.full:
            self.disagree(str(refusal))
            raise Unavailable(f"the switch's tables were not as they should be: {refusal}") from refusal
        digests = {key[0] for table, key in refusal.full if table == CONNECTIONS}
        if len(digests) < len(refusal.full):
            raise TableFull(str(refusal)) from refusal
        return {record.splice.flow for record in batch.new if record.digest in digests}

    # Everything around them

    async def configure(self, settings: Settings) -> None:
        """Make these the settings, now or as soon as the switch can be reached; raises Rejected or TableFull."""
        settings.check(self._network)
        async with self._writing:
            around = self._planned(settings, self._around.resolved)
            await self._rearrange(around)

    async def route(self, resolved: Mapping[Neighbour, bytes]) -> None:
        """Make these the known neighbours, as `configure`; raises TableFull."""
        async with self._writing:
            await self._rearrange(self._planned(self._around.settings, resolved))

    async def tidy(self, count: Callable[[], Awaitable[None]]) -> None:
        """Give up what nothing uses any more; `count` reads the counters of paths, before their numbers are free.

        Raises TableFull or Unavailable.
        """
        async with self._writing:
            self._require_agreed()
            unused = self._superfluous()
            if not unused and not self._has_retired():
                return
            around = self._planned(self._around.settings, self._around.resolved)
            await self._rearrange(around, without=unused)
            await count()
            for path in unused:
                self._paths.free(path)

    async def reconcile(self) -> None:
        """Make the tables what they should be, whatever is in them; raises Unavailable."""
        while not self.agreed:
            edition, rows = self._edition, self._rows_around(self._around)
            self._removed.clear()
            await reconciliation.repair(self._driver, rows, self._ledger)
            async with self._writing:
                for batch in self._removed:
                    await self._write(_deletions(batch), atomic=False)
                if edition == self._edition:
                    self._rows = rows
                    self.agreed = True
                    self.reconciliations += 1

    async def end(self) -> None:
        """Empty the tables after what is being written, and have nothing written any more; raises Unavailable."""
        async with self._writing:
            self.agreed = False
            await self._driver.clear()

    def _planned(self, settings: Settings, resolved: Mapping[Neighbour, bytes]) -> Around:
        routes = settings.routes(self._network, resolved, self._capacities)
        groups = group(settings.links(self._ledger.compressed), self._around.groups)
        self._capacities.check(groups)
        return Around(settings, resolved, self._around.hops.renewed(routes, self._capacities.next_hops), groups)

    async def _rearrange(self, around: Around, without: Collection[Path] = ()) -> None:
        """Change the tables so that every packet finds its record all the time: new entries, then groups, then old."""
        batch = self._ledger.regroup(around.groups)
        if self.agreed:
            rows = self._rows_around(around, without)
            steps, moves = difference(self._rows, rows), difference(*batch.rows())
            additions = [step for step in (*of(steps, SURROUNDINGS), *moves) if step.action is not None]
            removals = [step for step in (*moves, *of(steps, SURROUNDINGS)) if step.action is None]
            try:
                await self._write_all(additions)
                await self._write([*of(steps, GROUPS)])
            except Refusal as refusal:
                self.disagree(str(refusal))
                if refusal.full:
                    # Reconciling goes back to what was there.
                    raise TableFull(str(refusal)) from refusal
            except Unavailable:
                pass  # reconciling goes on to what is wanted now
        self._ledger.commit(batch)
        self._ledger.set_groups(around.groups)
        self._around = around
        if not self.agreed:
            self._edition += 1
            return
        self._rows = rows
        try:
            await self._write_all(removals)
        except (Refusal, Unavailable) as error:
            # The new settings are in force: only what is left of the old ones is not gone yet.
            self.disagree(str(error))

    def _rows_around(self, around: Around, without: Collection[Path] = ()) -> dict[Key, Action]:
        paths = [(path, number) for path, number in self._paths if path not in without]
        return {
            **dict(surroundings.of_ports(self._network)),
            **dict(around.hops.rows()),
            **dict(surroundings.of_paths(paths, around.hops)),
            **dict(surroundings.of_groups(around.groups)),
        }

    def _superfluous(self) -> list[Path]:
        """Paths that no record uses and no new one is likely to, or all unused ones where they are many."""
        unused = self._paths.unused()
        if len(self._paths) > _CROWDED * self._paths.capacity:
            return unused
        settings = self._around.settings
        vips = {listener.endpoint for listener in settings.listeners}
        servers = {(server.id, server.endpoint) for server in settings.servers}
        return [path for path in unused if path.vip not in vips or (path.server_id, path.server) not in servers]

    def _has_retired(self) -> bool:
        """Whether a VIP or server is in the tables that is not configured and has no records any more."""
        settings, groups, records = self._around.settings, self._around.groups, self._ledger.compressed
        vips = {listener.endpoint for listener in settings.listeners}.union(vip for vip, _ in records)
        servers = {server.endpoint for server in settings.servers}.union(server for _, server in records)
        return not (groups.vips.keys() <= vips and groups.servers.keys() <= servers)

    # Requests

    def _require_agreed(self) -> None:
        if not self.agreed:
            raise Unavailable("the switch's tables are not known to be what they should be")

    async def _write(self, steps: Sequence[Step], *, atomic: bool = True) -> None:
        try:
            await self._driver.write(steps, atomic=atomic)
        except (Unavailable, asyncio.CancelledError):
            self.disagree("a request was lost")
            raise

    async def _write_all(self, steps: Sequence[Step]) -> None:
        for start in range(0, len(steps), PER_WRITE):
            await self._write(steps[start : start + PER_WRITE])


def _deletions(batch: Batch) -> list[Step]:
    return [Step(Change.DELETE, key, None) for key in batch.rows()[0]]
