"""All health checks together: panic, and what a change of the configuration does."""

from __future__ import annotations

import logging
from random import Random

import pytest

from slowpath.balancing.member import Member
from slowpath.health.health import Health, PoolHealth
from slowpath.health.outliers import OutlierPolicy
from slowpath.health.probe import Policy, Probe
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from slowpath.wire.tcp import ACK, RST, SYN, Segment

OUTLIERS = OutlierPolicy(limits={"connect": 1})


class Bench:
    """Four servers of a pool, each probed by a handshake every two seconds."""

    def __init__(self, outliers: OutlierPolicy | None = OUTLIERS, panic: int = 0) -> None:
        self.now = 0.0
        self.members = [Member(number, Endpoint(bytes((10, 2, 0, number)), 80), up=False) for number in range(4)]
        self.health = Health(lambda server: bytes((10, 2, 0, 99)), Random(1))
        self.health.assign([Probe(member, Policy()) for member in self.members])
        self.watch(outliers, panic)

    def watch(self, outliers: OutlierPolicy | None, panic: int = 0) -> None:
        self.health.look_after([PoolHealth("web", self.members, outliers, panic)])

    def probe(self, *refusing: int, times: int = 1) -> None:
        """Let every probe that is due be answered, by some with a RST."""
        for _ in range(times):
            deadline = self.health.next_deadline
            assert deadline is not None
            self.now = max(self.now, deadline)
            for syn in self.health.advance(self.now):
                flags = ACK | RST if syn.destination.address[3] in refusing else SYN | ACK
                answer = Segment(syn.destination, syn.source, 7, (syn.sequence + 1) % 2**32, flags, 9000, Options())
                assert self.health.receive(answer, self.now) is not None

    @property
    def available(self) -> list[int]:
        return [member.id for member in self.members if member.available]


def test_only_the_healthy_are_available() -> None:
    bench = Bench()
    bench.probe(1, 2)
    assert bench.available == [0, 3]


@pytest.mark.parametrize(
    ("threshold", "down", "available"),
    [
        (50, (0, 1), [2, 3]),
        (51, (0, 1), [0, 1, 2, 3]),
        (50, (0, 1, 2), [0, 1, 2, 3]),
        (1, (0, 1, 2, 3), [0, 1, 2, 3]),
        (0, (0, 1, 2, 3), []),
    ],
)
def test_panic(threshold: int, down: tuple[int, ...], available: list[int]) -> None:
    bench = Bench(panic=threshold)
    bench.probe(*down)
    assert bench.available == available
    bench.probe(times=2)
    assert bench.available == [0, 1, 2, 3]
    assert not any(member.panic for member in bench.members)


def test_ejections_can_cause_panic() -> None:
    bench = Bench(panic=75)
    bench.probe(3)
    assert not any(member.panic for member in bench.members)
    bench.health.failed(bench.members[0], "refused", bench.now)
    assert bench.members[0].ejected and bench.available == [0, 1, 2, 3]


def test_draining_servers_stay_away_in_a_panic_and_do_not_count() -> None:
    bench = Bench(panic=50)
    bench.probe(0)
    for member in bench.members[1:3]:
        member.draining = True
    bench.health.refresh()
    assert bench.available == [3]
    bench.probe(0, 3, times=3)
    assert bench.available == [0, 3]


def test_a_new_configuration_keeps_ejections_unless_it_has_none() -> None:
    bench = Bench()
    bench.probe()
    bench.health.failed(bench.members[0], "refused", bench.now)
    bench.watch(OutlierPolicy())
    assert bench.available == [1, 2, 3]
    bench.watch(None)
    assert bench.available == [0, 1, 2, 3]
    bench.health.failed(bench.members[0], "refused", bench.now)
    assert bench.health.record(bench.members[0]) is None


def test_a_server_that_came_up_again_is_not_ejected_any_more() -> None:
    bench = Bench()
    bench.probe()
    bench.health.failed(bench.members[0], "refused", bench.now)
    bench.probe(0, times=3)
    assert (bench.members[0].up, bench.members[0].ejected) == (False, True)
    bench.probe(times=2)
    assert bench.available == [0, 1, 2, 3]


def test_changes_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    with caplog.at_level(logging.INFO):
        bench.probe()
        bench.watch(OutlierPolicy(limits={"connect": 1}, base=0.5, trial=0.1, reset_within=0.1), panic=75)
        bench.health.failed(bench.members[0], "refused", 0.1)
        bench.health.advance(0.6)
        bench.health.connecting(bench.members[0], 0.6)
        bench.health.connected(bench.members[0], 0.01, 0.6)
        bench.health.advance(0.7)
        bench.probe(2, 3, times=3)
        bench.probe(times=2)
    up = [f"web: server 10.2.0.{number}:80 is up" for number in range(4)]
    assert [record.getMessage() for record in caplog.records] == [
        *up,
        "web: server 10.2.0.0:80 is ejected for a time: connect",
        "web: server 10.2.0.0:80 is no longer ejected",
        "web: server 10.2.0.2:80 is down: connection refused",
        "web: server 10.2.0.3:80 is down: connection refused",
        "web: panic: every server is used",
        "web: server 10.2.0.2:80 is up",
        "web: the panic is over",
        "web: server 10.2.0.3:80 is up",
    ]


def test_the_next_deadline_is_that_of_whoever_is_first() -> None:
    bench = Bench(OutlierPolicy(limits={"connect": 1}, base=0.5))
    bench.probe()
    assert bench.health.next_deadline == 2.0
    bench.health.failed(bench.members[0], "refused", 0.25)
    assert bench.health.next_deadline == 0.75
    bench.health.advance(0.75)
    assert (bench.available, bench.health.next_deadline) == ([0, 1, 2, 3], 2.0)


def test_servers_that_have_left_are_nobodys() -> None:
    bench = Bench()
    bench.probe()
    stranger = Member(77, bench.members[0].endpoint)
    bench.health.connecting(stranger, 1.0)
    bench.health.connected(stranger, 0.1, 1.0)
    bench.health.failed(stranger, "refused", 1.0)
    bench.health.ended(stranger, 0.1, 1.0, reset=True)
    assert stranger.available
