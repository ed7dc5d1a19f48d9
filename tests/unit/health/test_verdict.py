"""Verdicts on a server: how many probes it takes, and how many more for one that flaps."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from slowpath.health.verdict import Hysteresis, Verdict

POLICY = Hysteresis(rise=2, fall=3, half_life=60.0)


def history(outcomes: Iterable[bool], hysteresis: Hysteresis = POLICY) -> list[bool]:
    """Whether the server was up after each probe, one a second."""
    verdict, states = Verdict(), []
    for now, good in enumerate(outcomes):
        verdict.judge(good, float(now), hysteresis)
        states.append(verdict.up)
    return states


def flapping(verdict: Verdict, now: float, hysteresis: Hysteresis = POLICY) -> tuple[int, float]:
    """Let the server go down and come up again; returns how many successes that took, and when it was over."""
    while verdict.up:
        verdict.judge(False, now, hysteresis)
        now += 0.001
    successes = 0
    while not verdict.up:
        verdict.judge(True, now, hysteresis)
        successes += 1
        now += 0.001
    return successes, now


@pytest.mark.parametrize("good", [True, False])
def test_the_first_probe_decides_alone(good: bool) -> None:
    assert history([good]) == [good]


@pytest.mark.parametrize(
    ("outcomes", "states"),
    [
        ("-++", "--+"),
        ("-+-+", "----"),
        ("+---", "+++-"),
        ("+--+--+", "+++++++"),
        ("+---+-++", "+++----+"),
    ],
)
def test_rise_and_fall(outcomes: str, states: str) -> None:
    assert history(each == "+" for each in outcomes) == [each == "+" for each in states]


def test_a_server_that_flaps_takes_longer_and_longer() -> None:
    verdict, now = Verdict(), 0.0
    verdict.judge(True, now, POLICY)
    taken = []
    for _ in range(9):
        successes, now = flapping(verdict, now)
        taken.append(successes)
    assert taken == [2, 4, 8, 16, 32, 64, 64, 64, 64]


def test_the_penalty_halves() -> None:
    verdict, now = Verdict(), 0.0
    verdict.judge(True, now, POLICY)
    for _ in range(5):
        _, now = flapping(verdict, now)
    # Of about 5, 2.5 are left after a half-life, and one more is due for going down: 2 * 2^2.5.
    assert flapping(verdict, now + POLICY.half_life)[0] == 12
    assert flapping(verdict, now + 100 * POLICY.half_life)[0] == 2


def test_what_it_takes_is_told() -> None:
    verdict = Verdict()
    verdict.judge(False, 0.0, POLICY)
    assert verdict.rise == 2
    verdict.judge(True, 1.0, POLICY)
    assert verdict.rise == 1
    verdict.judge(True, 2.0, POLICY)
    assert (verdict.up, verdict.rise) == (True, 0)


def test_a_very_first_failure_is_no_flap() -> None:
    verdict = Verdict()
    verdict.judge(False, 0.0, POLICY)
    assert flapping(verdict, 1.0)[0] == 2
    assert flapping(verdict, 2.0)[0] == 2
