"""What the clients print."""

from __future__ import annotations

import pytest

from deploy.comparison import metric
from deploy.comparison.loads import WrkOutput, ab_output
from deploy.comparison.open_loop import percentiles
from deploy.laboratory.namespace import LaboratoryError

_AB = """\
Concurrency Level:      32
Time taken for tests:   2.500 seconds
Complete requests:      5000
Failed requests:        {failed}
{more}Total transferred:      1203570 bytes
"""


def test_wrk() -> None:
    output = "Running 1s test\nrequests=12000 bytes=3000000 microseconds=1500000 errors=0\n"
    assert WrkOutput.parsed(output) == WrkOutput(12_000, 3_000_000, 1.5)


@pytest.mark.parametrize(
    "output",
    [
        "",
        "requests=12000 bytes=3000000 microseconds=1500000 errors=1\n",
        "requests=0 bytes=0 microseconds=1500000 errors=0\n",
    ],
)
def test_wrk_that_did_not_get_every_answer(output: str) -> None:
    with pytest.raises(LaboratoryError, match="wrk did not get every answer"):
        WrkOutput.parsed(output)


def test_ab() -> None:
    assert ab_output(_AB.format(failed=0, more="")) == (5000, 2.5)


@pytest.mark.parametrize(
    "output",
    [
        "",
        _AB.format(failed=3, more="   (Connect: 0, Receive: 0, Length: 3, Exceptions: 0)\n"),
        _AB.format(failed=0, more="Non-2xx responses:      2\n"),
    ],
)
def test_ab_that_did_not_get_every_answer(output: str) -> None:
    with pytest.raises(LaboratoryError, match="ab did not get every answer"):
        ab_output(output)


def test_the_open_loop() -> None:
    output = "requests=9000 unanswered=0 p50=90 p99=400 p999=1500 max=2100 late=12\n"
    assert percentiles(output) == {metric.P50: 90, metric.P99: 400, metric.P999: 1500, metric.LATE: 12}
    with pytest.raises(LaboratoryError, match="the open loop said"):
        percentiles("open_loop: cannot connect")
