"""Sizes as people write them."""

from __future__ import annotations

import pytest

from deploy.experiment.size import label, parse


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("1k", (1_000,)),
        ("10M,1k,300k", (1_000, 300_000, 10_000_000)),
        ("512, 1kB,1MB", (512, 1_000, 1_000_000)),
        ("1000,1k", (1_000,)),
        ("100M", (100_000_000,)),
    ],
)
def test_lists_are_read_in_ascending_order_and_each_size_once(text: str, octets: tuple[int, ...]) -> None:
    assert parse(text) == octets


@pytest.mark.parametrize("text", ["", "k", "0", "0k", "-1k", "1.5M", "1G", "1K", "1k,,2k", "1k;2k", "ten"])
def test_what_is_no_size_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size: write a number of bytes such as 1k, 300k or 10M"):
        parse(text)


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="101M is too large: a response has at most 100 MB"):
        parse("1k,101M")


@pytest.mark.parametrize(
    ("octets", "text"),
    [(1, "1 B"), (1_500, "1500 B"), (30_000, "30 kB"), (1_500_000, "1500 kB"), (10_000_000, "10 MB")],
)
def test_labels_have_the_largest_unit_that_fits(octets: int, text: str) -> None:
    assert label(octets) == text
