"""After a reconnect: what is in the switch's tables, against what should be."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from typing import TypeVar

from fastpath.errors import Unavailable
from fastpath.pipeline.driver import Driver, Refusal
from fastpath.pipeline.ledger import Ledger
from fastpath.pipeline.rows import (
    GROUPS,
    PER_WRITE,
    RECORDS,
    SURROUNDINGS,
    Action,
    Change,
    Key,
    Rows,
    Step,
    difference,
    in_tables,
)

_log = logging.getLogger(__name__)

_T = TypeVar("_T")


async def repair(driver: Driver, around: Rows, ledger: Ledger) -> None:
    """Make `around` and the records of `ledger` the contents of all tables; raises Unavailable.

    A record that finds no room any more goes to `overrides`, or is lost (`Ledger.displace`).
    """
    steps = difference(await driver.read((*SURROUNDINGS, *GROUPS)), around)
    count = len(steps)
    await _write(driver, [step for step in in_tables(steps, SURROUNDINGS) if step.action is not None])
    for table in RECORDS:
        present = await driver.read([table])
        # What should not be there might rewrite what is not its own, and takes up room.
        count += await _remove_strangers(driver, present, ledger)
        count += await _add_missing(driver, table, present, ledger)
    await _write(driver, [*in_tables(steps, GROUPS)])
    await _write(driver, [step for step in in_tables(steps, SURROUNDINGS) if step.action is None])
    _log.info("the switch's tables are what they should be: %d entries were not", count)


async def _remove_strangers(driver: Driver, present: dict[Key, Action], ledger: Ledger) -> int:
    """Delete the entries that no record has, from `present`, too; returns how many there were."""
    count = 0
    for keys in _slices([*present]):
        steps = [Step(Change.DELETE, key, None) for key in keys if not _is_wanted(key, ledger)]
        await _write(driver, steps)
        # A record that is given another digest meanwhile may get one of theirs.
        for step in steps:
            del present[step.key]
        count += len(steps)
        await asyncio.sleep(0)
    return count


async def _add_missing(driver: Driver, table: str, present: Rows, ledger: Ledger) -> int:
    """Write the entries of records in `table` that `present` lacks or has otherwise; returns how many there were."""
    count = 0
    for records in _slices([*ledger]):
        # One may have been removed since the last pause.
        steps = [
            Step(Change.MODIFY if key in present else Change.INSERT, key, action)
            for record in records
            if record in ledger
            for key, action in record.rows()
            if key[0] == table and present.get(key) != action
        ]
        count += len(steps)
        for key in await _write(driver, steps):
            batch = ledger.displace(key)
            if batch.old and not batch.new:
                _log.error("a splice is lost: there is no room for it any more: %s", batch.old)
                await _write(driver, difference(batch.rows()[0], {}))
        await asyncio.sleep(0)
    return count


def _is_wanted(key: Key, ledger: Ledger) -> bool:
    record = ledger.find(key)
    return record is not None and any(key == row for row, _ in record.rows())


def _slices(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """So much at a time that the event loop has others' turns in between: there may be a million."""
    return (items[start : start + PER_WRITE] for start in range(0, len(items), PER_WRITE))


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
