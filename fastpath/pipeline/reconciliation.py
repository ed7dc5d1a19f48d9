"""After a reconnect: what is in the switch's tables, against what should be."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from fastpath.errors import Unavailable
from fastpath.pipeline.driver import Driver, Refusal
from fastpath.pipeline.ledger import Ledger
from fastpath.pipeline.rows import (
    GROUPS,
    PER_WRITE,
    RECORDS,
    SURROUNDINGS,
    Key,
    Rows,
    Step,
    difference,
    in_tables,
)

_log = logging.getLogger(__name__)


async def repair(driver: Driver, around: Rows, ledger: Ledger) -> None:
    """Make `around` and the records of `ledger` the contents of all tables; raises Unavailable.

    A record that finds no room any more goes to `overrides`, or is lost (`Ledger.displace`).
    """
    steps = difference(await driver.read((*SURROUNDINGS, *GROUPS)), around)
    count = len(steps)
    await _write(driver, [step for step in in_tables(steps, SURROUNDINGS) if step.action is not None])
    for table in RECORDS:
        wanted = {key: action for key, action in ledger.rows().items() if key[0] == table}
        changes = difference(await driver.read([table]), wanted)
        # What should not be there might rewrite what is not its own, and takes up room.
        changes.sort(key=lambda step: step.action is not None)
        count += len(changes)
        for key in await _write(driver, changes):
            batch = ledger.displace(key)
            if batch.old and not batch.new:
                _log.error("a splice is lost: there is no room for it any more: %s", batch.old)
                await _write(driver, difference(batch.rows()[0], {}))
    await _write(driver, [*in_tables(steps, GROUPS)])
    await _write(driver, [step for step in in_tables(steps, SURROUNDINGS) if step.action is None])
    _log.info("the switch's tables are what they should be: %d entries were not", count)


async def _write(driver: Driver, steps: Sequence[Step]) -> list[Key]:
    """Carry `steps` out; returns the keys of records that found no room. Raises Unavailable for everything else."""
    full: list[Key] = []
    for start in range(0, len(steps), PER_WRITE):
        try:
            await driver.write(steps[start : start + PER_WRITE], atomic=False)
        except Refusal as refusal:
            if refusal.wrong or not refusal.full or any(table not in RECORDS for table, _ in refusal.full):
                raise Unavailable(f"the switch's tables cannot be repaired: {refusal}") from refusal
            full += refusal.full
    return full
