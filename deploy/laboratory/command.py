"""Commands that work in laboratories: how they end."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from rich.console import Console

from deploy.laboratory.namespace import LaboratoryError

_MOMENT = 0.01
"""Seconds: longer than a finaliser takes."""


def carry_out(command: str, job: Callable[[], int]) -> int:
    """Do a command's job and return its exit status: the job's own, or 1 and a message if the laboratory failed.

    SIGINT and SIGTERM unwind the job, so that its laboratory is cleared away, and end in 128 + their number.
    """
    signal.signal(signal.SIGTERM, _leave)
    sys.unraisablehook = _raise_again
    try:
        return job()
    except LaboratoryError as error:
        Console(stderr=True).print(f"{command}: {error}", style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)


def _raise_again(dropped: sys.UnraisableHookArgs) -> None:
    """Leave a moment later: Python drops what a signal's handler raises while an object is finalised."""
    error = dropped.exc_value
    if isinstance(error, SystemExit | KeyboardInterrupt):

        def leave(number: int, frame: FrameType | None) -> NoReturn:
            raise error

        signal.signal(signal.SIGALRM, leave)
        signal.setitimer(signal.ITIMER_REAL, _MOMENT)
    else:
        sys.__unraisablehook__(dropped)
