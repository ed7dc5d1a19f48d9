"""Waiting for descriptors, with pipes in the place of sockets."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any

import pytest
import uvloop

from fastpath.pause import _PATIENCE, Pause

Pipes = tuple[tuple[int, int], tuple[int, int]]
Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=[asyncio.run, uvloop.run])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a coroutine on either event loop, for at most ten seconds."""
    return lambda scenario: request.param(asyncio.wait_for(scenario, 10))


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    """Two pipes, the reading end first."""
    both = os.pipe(), os.pipe()
    yield both
    for end in (*both[0], *both[1]):
        os.close(end)


async def turns(number: int) -> None:
    """Let the event loop look at its descriptors so many times."""
    for _ in range(number):
        await asyncio.sleep(0)


def test_either_descriptor_ends_a_pause_and_the_next(run: Run, pipes: Pipes) -> None:
    async def scenario() -> None:
        pause = Pause(pipes[0][0], pipes[1][0])
        for reading, writing in (*pipes, *pipes):
            waiting = asyncio.create_task(pause.wait())
            await turns(3)
            assert not waiting.done()
            os.write(writing, b"x")
            await waiting
            os.read(reading, 1)
        pause.close()

    run(scenario())


def test_what_is_readable_already_ends_a_pause(run: Run, pipes: Pipes) -> None:
    async def scenario() -> None:
        pause = Pause(pipes[0][0])
        os.write(pipes[0][1], b"x")
        await pause.wait()
        await turns(2)
        await pause.wait()
        pause.close()

    run(scenario())


def test_somebody_ends_a_pause(run: Run, pipes: Pipes) -> None:
    async def scenario() -> None:
        pause = Pause(pipes[0][0])
        pause.end()
        waiting = asyncio.create_task(pause.wait())
        await turns(3)
        assert not waiting.done()
        pause.end()
        pause.end()
        await waiting
        pause.close()

    run(scenario())


def test_a_busy_consumer_is_left_alone_and_still_told_of_the_next(run: Run, pipes: Pipes) -> None:
    async def scenario() -> None:
        pause = Pause(pipes[0][0])
        os.write(pipes[0][1], b"x")
        await pause.wait()
        await turns(3 * _PATIENCE)
        # Nobody watches it any more: a loop that did would never rest.
        assert not asyncio.get_running_loop().remove_reader(pipes[0][0])
        await pause.wait()
        os.read(pipes[0][0], 1)
        waiting = asyncio.create_task(pause.wait())
        await turns(3)
        assert not waiting.done()
        os.write(pipes[0][1], b"x")
        await waiting
        pause.close()

    run(scenario())


def test_a_pause_that_is_given_up_can_be_followed_by_another(run: Run, pipes: Pipes) -> None:
    async def scenario() -> None:
        pause = Pause(pipes[0][0])
        waiting = asyncio.create_task(pause.wait())
        await turns(2)
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        os.write(pipes[0][1], b"x")
        await pause.wait()
        pause.close()

    run(scenario())


def test_after_the_end_nothing_is_waited_for(run: Run, pipes: Pipes) -> None:
    async def scenario() -> None:
        pause = Pause(pipes[0][0])
        waiting = asyncio.create_task(pause.wait())
        await turns(2)
        pause.close()
        pause.close()
        await waiting
        await pause.wait()
        assert not asyncio.get_running_loop().remove_reader(pipes[0][0])

    run(scenario())
