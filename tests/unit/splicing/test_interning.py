"""Numbers for shared objects."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from slowpath.splicing.interning import NONE, Numbers


def test_nothing_has_the_number_none() -> None:
    numbers = Numbers()
    assert numbers.take(None) == NONE
    assert numbers.look_up(NONE) is numbers.give_back(NONE) is None
    assert len(numbers) == 0


def test_equal_objects_are_two() -> None:
    numbers = Numbers()
    first, second = [1], [1]
    assert numbers.take(first) != numbers.take(second)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4))))
def test_an_object_is_kept_until_its_number_is_given_back_as_often_as_taken(steps: list[tuple[bool, int]]) -> None:
    numbers, objects = Numbers(), [[index] for index in range(5)]
    taken: Counter[int] = Counter()
    given_out: dict[int, int] = {}
    for takes, index in steps:
        if takes:
            number = numbers.take(objects[index])
            assert given_out.setdefault(index, number) == number
            taken[index] += 1
        elif taken[index]:
            assert numbers.give_back(given_out[index]) is objects[index]
            taken[index] -= 1
            if not taken[index]:
                del given_out[index]
        assert len(numbers) == len(given_out) == len(set(given_out.values()))
        assert all(numbers.look_up(number) is objects[index] for index, number in given_out.items())
        assert max(given_out.values(), default=0) <= len(objects)
