"""What theory says of collisions, against enumeration and against the digest itself."""

from __future__ import annotations

from itertools import product
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.million import collisions
from bench.million.population import adjacent, scattered
from fastpath.pipeline.digest import digest
from slowpath.wire.endpoint import Endpoint

GROUP = 3
TWINS = collisions.twins(64, GROUP, 32)


def test_expectation_is_that_of_all_outcomes() -> None:
    """Every way of throwing 5 balls into 4 boxes."""
    outcomes = [5 - len(set(boxes)) for boxes in product(range(4), repeat=5)]
    assert collisions.at_random(5, 2).expected == pytest.approx(sum(outcomes) / len(outcomes))


def test_deviation_is_that_of_the_occupancy_problem() -> None:
    """The exact variance of the number of empty boxes, where it can be computed without loss."""
    balls, boxes = 500, 2**12
    one, two = (1 - 1 / boxes) ** balls, (1 - 2 / boxes) ** balls
    exact = boxes * (boxes - 1) * two + boxes * one - (boxes * one) ** 2
    assert collisions.at_random(balls, 12).deviation == pytest.approx(sqrt(exact), rel=0.01)


def test_a_million_in_32_bits() -> None:
    """As p4_tofino/sizes.p4 has it: 128 of a million, nearly a Poisson variable."""
    theory = collisions.at_random(1 << 20, 32)
    assert theory.expected == pytest.approx(128, abs=0.1)
    assert theory.deviation == pytest.approx(sqrt(128), rel=0.01)
    assert theory.z(theory.expected + 2 * theory.deviation) == pytest.approx(2)


def test_scattered_clients_collide_as_often_as_random_ones() -> None:
    """Of digests so short that there are thousands of collisions."""
    theory = collisions.at_random(1 << 15, 20)
    found = [collisions.observed((scattered(n, seed) for n in range(1 << 15)), GROUP, 20) for seed in range(4)]
    assert theory.expected > 500
    assert all(abs(theory.z(one)) < 4 for one in found)
    assert len(set(found)) > 1


@pytest.mark.parametrize(("block", "bits"), [(10, 32), (12, 32), (12, 10), (14, 13)])
def test_a_block_of_clients_collides_as_linear_algebra_says(block: int, bits: int) -> None:
    """Exactly: a CRC of all combinations of some bits is a linear map."""
    found = collisions.observed((adjacent(n) for n in range(1 << block)), GROUP, bits)
    assert found == collisions.of_block(adjacent, block, GROUP, bits)
    assert (found == 0) == (block <= bits)


def test_twins_are_others() -> None:
    """No two alike, and none that changes nothing."""
    assert len({*TWINS, (0, 0)}) == 65


@given(st.integers(0, 0xFFFF_FFFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_twins_share_their_digest(address: int, port: int, group: int) -> None:
    """Whatever the client and its group are."""
    own = digest(Endpoint(address.to_bytes(4, "big"), port), group, 32)
    for change, port_change in TWINS:
        other = Endpoint((address ^ change).to_bytes(4, "big"), port ^ port_change)
        assert digest(other, group, 32) == own
