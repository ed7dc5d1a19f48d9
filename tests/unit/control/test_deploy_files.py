"""What Prometheus and Grafana are given: valid, complete, and the alerts fire when they should."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from slowpath.control.metrics import families
from tests.e2e.dashboard import alert_queries, dashboard_queries
from tests.unit.control import samples

PROMETHEUS = Path(__file__).parents[3] / "deploy" / "prometheus"
ALERT_TESTS = Path(__file__).with_name("alerts_test.yml")

EXPOSED = {sample.name for family in families(samples.snapshot()) for sample in family.samples}


@pytest.mark.parametrize(
    "arguments",
    [("check", "config", PROMETHEUS / "prometheus.yml"), ("test", "rules", ALERT_TESTS)],
    ids=["configuration", "alerts"],
)
def test_promtool_accepts(arguments: tuple[str | Path, ...]) -> None:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_test() -> None:
    tested = set(re.findall(r"alertname: (\w+)", ALERT_TESTS.read_text()))
    assert tested == set(alert_queries())


def test_the_dashboard_shows_every_metric_and_no_other() -> None:
    shown = metrics_in(dashboard_queries("5m").values())
    assert shown == EXPOSED


def test_alerts_ask_for_metrics_that_exist() -> None:
    assert metrics_in(alert_queries().values()) <= EXPOSED


def metrics_in(queries: Iterable[str]) -> set[str]:
    return set(re.findall(r"\bl7lb_\w+", " ".join(queries)))
