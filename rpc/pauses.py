"""When to try again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import grpc

from rpc.errors import Refused, Unavailable

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0
"""Seconds."""

_T = TypeVar("_T")


def pauses(jitter: Callable[[], float]) -> Iterator[float]:
    """Seconds before each next attempt: doubling, and shortened by up to a half lest clients move in step.

    `jitter` gives numbers from 0 to below 1.
    """
    pause = _FIRST_PAUSE
    while True:
        yield pause * (1 - jitter() / 2)
        pause = min(2 * pause, _LONGEST_PAUSE)


async def within(
    seconds: float, attempt: Callable[[], Awaitable[_T]], jitter: Callable[[], float], taken: frozenset[grpc.StatusCode]
) -> _T:
    """What `attempt` gives, tried as long as it makes sense and for so many seconds at most.

    Unavailable makes sense, and Refused with one of the codes `taken`: until the server has noticed that the
    connection before is gone. Raises what the last attempt raised.
    """
    end = time.monotonic() + seconds
    for pause in pauses(jitter):
        try:
            return await attempt()
        except (Unavailable, Refused) as error:
            final = isinstance(error, Refused) and error.code not in taken
            if final or time.monotonic() + pause >= end:
                raise
        await asyncio.sleep(pause)
    raise AssertionError("pauses never end")
