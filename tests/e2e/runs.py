"""L7LB for the length of a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from deploy.laboratory import Laboratory, Run


@contextmanager
def running(laboratory: Laboratory, **changes: object) -> Iterator[Run]:
    """Start L7LB with `changes` of its configuration; stop it afterwards, which has to succeed if the block did."""
    run = laboratory.run(laboratory.config(**changes))
    try:
        yield run
    except BaseException:
        run.stop()
        raise
    assert run.stop() == 0, run.log_tail()
