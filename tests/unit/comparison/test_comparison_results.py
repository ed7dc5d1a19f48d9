"""Medians, spreads, and ratios within rounds."""

from __future__ import annotations

import json

import pytest

from deploy.comparison import metric
from deploy.comparison.results import LoadResults, Sample, Spread
from tests.unit.comparison.samples import bulk


def test_a_spread_is_of_all_rounds() -> None:
    assert bulk().spread(metric.THROUGHPUT, "direct") == Spread(median=800.0, least=500.0, most=1000.0)


def test_ratios_are_of_one_round_each() -> None:
    # The ratio of the medians would be 8.
    assert bulk().ratios(metric.THROUGHPUT, "direct", "haproxy") == Spread(500 / 90, 5.0, 8.0)


def test_a_round_that_lacks_one_of_two_has_no_ratio() -> None:
    results = bulk()
    results.samples = [one for one in results.samples if (one.contender, one.round) != ("haproxy", 3)]
    assert results.ratios(metric.THROUGHPUT, "direct", "haproxy") == Spread((5.0 + 500 / 90) / 2, 5.0, 500 / 90)


@pytest.mark.parametrize("contender", ["nobody", "haproxy"])
def test_nothing_is_made_of_nothing(contender: str) -> None:
    results = LoadResults("bulk", "Bulk", {}, [Sample("haproxy", 1, metric.P50, 0.0)])
    assert results.spread(metric.THROUGHPUT, contender) is None
    assert results.ratios(metric.P50, "haproxy", contender) is None


def test_json_keeps_everything() -> None:
    results = bulk(("haproxy was not there",))
    assert LoadResults.from_json("bulk", json.loads(json.dumps(results.as_json()))) == results


def test_contenders_and_metrics_are_in_the_order_in_which_they_came() -> None:
    assert bulk().contenders == ["direct", "l7lb connection", "haproxy"]
    assert bulk().metrics == [metric.THROUGHPUT, metric.CPU_PER_GB]
