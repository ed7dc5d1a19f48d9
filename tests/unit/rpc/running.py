"""What the tests of the clients share."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator

import pytest


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(60):
            await scenario()

    asyncio.run(main())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 (conditions of every kind)
        await asyncio.sleep(0.001)


class Stall:
    """What never ends when it is awaited; `arrived` is set as soon as somebody waits."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()

    async def __call__(self) -> None:
        self.arrived.set()
        await asyncio.Event().wait()


@pytest.fixture
def address() -> Iterator[str]:
    """An address that a server can come back to; in a short directory, for the kernel allows 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="rpc") as directory:
        yield f"unix:{directory}/grpc"
