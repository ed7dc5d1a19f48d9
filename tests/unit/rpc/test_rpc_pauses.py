"""When a client tries again."""

from __future__ import annotations

import itertools

import grpc
import pytest

from rpc.errors import Refused, SchemaError, Unavailable
from rpc.pauses import pauses, within
from tests.unit.rpc.running import run

TAKEN = frozenset({grpc.StatusCode.ALREADY_EXISTS})


def test_pauses_double_up_to_a_limit_and_are_shortened_by_up_to_a_half() -> None:
    def first(number: int, jitter: float) -> list[float]:
        return list(itertools.islice(pauses(lambda: jitter), number))

    assert first(8, jitter=0.0) == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    assert first(3, jitter=1.0) == [0.025, 0.05, 0.1]


@pytest.mark.parametrize(
    ("errors", "attempts"),
    [
        ([Unavailable("away"), Refused("taken", grpc.StatusCode.ALREADY_EXISTS)], 3),
        ([Unavailable("away"), Refused("never", grpc.StatusCode.UNIMPLEMENTED)], 2),
        ([SchemaError("a mistake")], 1),
    ],
)
def test_what_may_pass_is_tried_again(errors: list[Exception], attempts: int) -> None:
    async def scenario() -> None:
        made = list[int]()

        async def attempt() -> int:
            made.append(len(made))
            if len(made) <= len(errors):
                raise errors[len(made) - 1]
            return len(made)

        if attempts > len(errors):
            assert await within(60.0, attempt, lambda: 0.9, TAKEN) == attempts
        else:
            with pytest.raises(type(errors[-1]), match=str(errors[-1])):
                await within(60.0, attempt, lambda: 0.9, TAKEN)
        assert len(made) == attempts

    run(scenario)


def test_no_attempt_is_made_after_the_time_is_up() -> None:
    async def scenario() -> None:
        made = list[int]()

        async def attempt() -> None:
            made.append(1)
            raise Unavailable("away")

        with pytest.raises(Unavailable):
            await within(0.0, attempt, lambda: 0.0, TAKEN)
        assert made == [1]

    run(scenario)
