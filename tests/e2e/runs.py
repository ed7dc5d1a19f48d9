"""L7LB for the length of a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from deploy.laboratory import Laboratory, Run


@contextmanager
def running(laboratory: Laboratory, **changes: object) -> Iterator[Run]:
    """Start L7LB with `changes` of its configuration; stop it afterwards, which has to succeed if the block did.

    If it did not, what L7LB has said goes with the error.
    """
    run = laboratory.run(laboratory.config(**changes))
    try:
        yield run
    except BaseException as error:
        ended = run.process.poll()
        error.add_note(f"l7lb {'runs' if ended is None else f'ended with {ended}'}; it said:\n{run.said()}")
        run.stop()
        raise
    assert run.stop() == 0, run.log_tail()
