"""Passive checks: sequences of what clients' connections meet, and which servers are ejected for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slowpath.balancing.member import Member
from slowpath.health.ejection import State
from slowpath.health.outliers import OutlierPolicy, Outliers
from slowpath.wire.endpoint import Endpoint

POLICY = OutlierPolicy(limits={"connect": 3, "reset": 3, "slow": 3}, base=10.0, longest=60.0)
USUAL = 0.001
"""Seconds that a handshake takes."""


class Bench:
    """A pool whose servers are told apart by their number."""

    def __init__(self, servers: int = 4, **changes: object) -> None:
        self.now = 100.0
        self.members = [Member(number, Endpoint(bytes((10, 2, 0, number)), 80)) for number in range(servers)]
        self.outliers = Outliers(self.members, replace(POLICY, **changes), {})  # type: ignore[arg-type]

    def play(self, server: int, outcomes: str) -> None:
        """One connection after the other: . well, x refused, t silent, o wrong options, r reset, R late, s slow."""
        member = self.members[server]
        for outcome in outcomes:
            self.outliers.connecting(member, self.now)
            if outcome in "xto":
                reason = {"x": "refused", "t": "timeout", "o": "options"}[outcome]
                self.outliers.failed(member, reason, self.now)
                continue
            self.outliers.connected(member, 0.5 if outcome == "s" else USUAL, self.now)
            age = {"r": 0.5, "R": 5.0}.get(outcome, 0.2)
            self.outliers.ended(member, age, self.now, reset=outcome in "rR")

    def later(self, seconds: float) -> None:
        self.now += seconds
        self.outliers.advance(self.now)

    @property
    def ejected(self) -> list[int]:
        return [member.id for member in self.members if member.ejected]

    def state(self, server: int) -> State:
        return self.outliers.records[server].ejection.state


@pytest.mark.parametrize(
    ("outcomes", "reason"),
    [
        ("..........", None),
        ("xx.xx.", None),
        ("xxx", "connect"),
        ("xtx", "connect"),
        ("ooo", "connect"),
        ("rrr", "reset"),
        ("rr.rr", None),
        ("RRRRRR", None),
        ("rxrxr", "reset"),
        ("xxrxx", None),
        ("sss", "slow"),
        ("ss.ss", None),
        ("sxsxs", "slow"),
    ],
)
def test_failures_in_a_row(outcomes: str, reason: str | None) -> None:
    bench = Bench()
    for other in (1, 2, 3):
        bench.play(other, ".")
    bench.play(0, outcomes)
    assert bench.ejected == ([] if reason is None else [0])
    assert dict(bench.outliers.records[0].ejections) == ({} if reason is None else {reason: 1})


def test_a_reset_before_the_join_counts_as_one() -> None:
    bench = Bench()
    for _ in range(3):
        bench.outliers.failed(bench.members[0], "reset", bench.now)
    assert bench.outliers.records[0].ejections == {"reset": 1}


def test_what_is_no_fault_of_the_server_does_not_count() -> None:
    bench = Bench()
    for _ in range(9):
        bench.outliers.failed(bench.members[0], "busy", bench.now)
    assert not bench.ejected


def test_a_limit_of_none_looks_away() -> None:
    bench = Bench(limits={"connect": 0})
    bench.play(0, "xxxxxrrrrrsssss")
    assert not bench.ejected


def test_failures_far_apart_are_not_in_a_row() -> None:
    bench = Bench(window=30.0)
    for _ in range(6):
        bench.play(0, "x")
        bench.later(31.0)
    assert not bench.ejected
    for _ in range(3):
        bench.later(29.0)
        bench.play(0, "x")
    assert bench.ejected == [0]


@pytest.mark.parametrize(
    ("others", "own", "slow"),
    [
        ([0.001, 0.001, 0.001], 0.09, False),  # below the floor
        ([0.001, 0.001, 0.001], 0.11, True),
        ([0.02, 0.02, 0.001], 0.19, False),  # the median is 0.02
        ([0.02, 0.02, 0.001], 0.21, True),
        ([], 9.0, False),  # nobody to compare with
    ],
)
def test_slow_is_in_relation_to_the_others(others: list[float], own: float, slow: bool) -> None:
    bench = Bench()
    for number, seconds in enumerate(others, 1):
        bench.outliers.connected(bench.members[number], seconds, bench.now)
    for _ in range(3):
        bench.outliers.connected(bench.members[0], own, bench.now)
    assert bench.ejected == ([0] if slow else [])


def test_averages_are_smoothed() -> None:
    bench = Bench(servers=2)
    bench.play(1, ".")
    bench.outliers.connected(bench.members[1], 0.801, bench.now)
    assert bench.outliers.records[1].average == pytest.approx(0.101)


@pytest.mark.parametrize(
    ("servers", "share", "ejected"),
    [(4, 50, [0, 1]), (4, 49, [0]), (4, 100, [0, 1, 2]), (4, 0, []), (3, 50, [0]), (2, 50, [0]), (1, 100, [])],
)
def test_not_too_many(servers: int, share: int, ejected: list[int]) -> None:
    bench = Bench(servers, largest_share=share)
    for server in range(servers):
        bench.play(server, "xxx")
    assert bench.ejected == ejected


def test_never_the_last_that_is_available() -> None:
    bench = Bench()
    for member in bench.members[1:]:
        member.up = False
    bench.play(0, "xxxxxxxx")
    assert not bench.ejected


def test_one_connection_is_on_trial() -> None:
    bench = Bench()
    bench.play(0, "xxx")
    bench.later(9.9)
    assert bench.ejected == [0]
    bench.later(0.1)
    member = bench.members[0]
    assert (bench.ejected, bench.state(0)) == ([], State.READY)
    bench.outliers.connecting(member, bench.now)
    assert (bench.ejected, bench.state(0)) == ([0], State.TRIAL)
    bench.outliers.connected(member, USUAL, bench.now)
    assert (bench.ejected, bench.state(0)) == ([0], State.PROVING)
    assert bench.outliers.next_deadline == bench.now + 1.0
    bench.later(1.0)
    assert (bench.ejected, bench.state(0)) == ([], State.IN)
    assert bench.outliers.next_deadline is None
    assert member.up_since == bench.now
    bench.play(0, "xx")
    assert bench.ejected == []


@pytest.mark.parametrize("outcome", "xrs")
def test_a_trial_that_fails_ejects_for_twice_as_long(outcome: str) -> None:
    bench = Bench()
    for other in (1, 2, 3):
        bench.play(other, ".")
    bench.play(0, "xxx")
    bench.later(10.0)
    bench.play(0, outcome)
    assert bench.state(0) is State.EJECTED
    assert bench.outliers.next_deadline == bench.now + 20.0


def test_a_trial_that_nobody_saw_the_end_of_is_repeated() -> None:
    bench = Bench()
    bench.play(0, "xxx")
    bench.later(10.0)
    bench.outliers.connecting(bench.members[0], bench.now)
    bench.later(POLICY.trial)
    assert (bench.ejected, bench.state(0)) == ([], State.READY)


def test_old_connections_do_not_prolong_an_ejection() -> None:
    bench = Bench()
    bench.play(0, "xxx")
    bench.play(0, "xxx.r.")
    assert bench.outliers.next_deadline == bench.now + 10.0


def test_what_was_known_goes_on_under_a_new_policy() -> None:
    bench = Bench()
    bench.play(0, "xxx")
    successor = Outliers(bench.members, replace(POLICY, base=1.0), bench.outliers.records)
    assert successor.next_deadline == 110.0
    successor.advance(110.0)
    assert bench.state(0) is State.READY


def test_the_id_of_a_server_that_has_left_may_be_anothers() -> None:
    bench = Bench()
    bench.play(0, "xxx")
    newcomer = Member(0, Endpoint(bytes((10, 2, 0, 77)), 80))
    successor = Outliers([newcomer, *bench.members[1:]], POLICY, bench.outliers.records)
    assert successor.next_deadline is None and newcomer.available
