"""A real Prometheus scrapes a real run, and answers every query of the dashboard and of the alerts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import yaml

from deploy.laboratory import Laboratory, Run
from deploy.laboratory.namespace import end, wait_until
from tests.e2e.dashboard import alert_queries, dashboard_queries

_LISTEN = "127.0.0.1:9190"
_SCRAPES = 5
_TIMEOUT = 30.0

DASHBOARD = dashboard_queries("10s")


class Prometheus:
    """Debian's Prometheus on the balancer's host, with the shipped configuration at a quicker pace."""

    def __init__(self, run: Run, directory: Path) -> None:
        shipped = Path(__file__).parents[2] / "deploy" / "prometheus"
        config = yaml.safe_load((shipped / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "500ms", "evaluation_interval": "500ms"}
        config["scrape_configs"][0]["static_configs"] = [{"targets": [urlsplit(run.metrics_url).netloc]}]
        (directory / "prometheus.yml").write_text(yaml.safe_dump(config))
        shutil.copy(shipped / "alerts.yml", directory)
        self._host = run.host
        self.process = run.host.popen(
            [
                "prometheus",
                f"--config.file={directory}/prometheus.yml",
                f"--storage.tsdb.path={directory}/data",
                f"--web.listen-address={_LISTEN}",
            ],
            log=directory / "prometheus.log",
        )

    def query(self, query: str) -> list[dict[str, Any]]:
        """The series that answer `query` now; raises LaboratoryError if Prometheus refuses it."""
        url = f"http://{_LISTEN}/api/v1/query?{urlencode({'query': query})}"
        reply = json.loads(self._host.run(["curl", "-sS", "-m", "5", url]))
        assert reply["status"] == "success", f"{query}: {reply['error']}"
        series: list[dict[str, Any]] = reply["data"]["result"]
        return series

    def has_scraped(self, count: int) -> bool:
        """Whether Prometheus is up and has scraped L7LB `count` times."""
        if not self._host.succeeds(["curl", "-sf", "-m", "1", "-o", "/dev/null", f"http://{_LISTEN}/-/ready"]):
            return False
        scrapes = self.query("count_over_time(l7lb_build_info[1m])")
        return bool(scrapes) and float(scrapes[0]["value"][1]) >= count


@pytest.fixture(scope="module")
def prometheus(
    laboratory: Laboratory, scraped_run: Run, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    """Prometheus after some scrapes, with requests before and between them."""
    started = Prometheus(scraped_run, tmp_path_factory.mktemp("prometheus"))
    try:
        wait_until(lambda: started.has_scraped(1), _TIMEOUT, "Prometheus scrapes L7LB")
        laboratory.client.run(["ab", "-q", "-n", "200", "-c", "4", "http://10.1.0.100/1k"])
        wait_until(lambda: started.has_scraped(_SCRAPES), _TIMEOUT, f"Prometheus scrapes L7LB {_SCRAPES} times")
        yield started
    finally:
        end(started.process)


@pytest.mark.parametrize("title", DASHBOARD)
def test_a_query_of_the_dashboard_has_an_answer(prometheus: Prometheus, title: str) -> None:
    series = prometheus.query(DASHBOARD[title])
    # A restart within the interval is what the annotation looks for; there was none.
    assert bool(series) is (title != "Restarts")


def test_the_dashboard_shows_the_traffic(prometheus: Prometheus) -> None:
    [connections] = prometheus.query(DASHBOARD["Connections by listener A"])
    assert connections["metric"] == {"listener": "web"}
    assert float(connections["value"][1]) > 0
    [per_connection] = prometheus.query(DASHBOARD["Slow-path packets per connection A"])
    assert float(per_connection["value"][1]) > 0


def test_no_alert_is_raised_by_a_healthy_run(prometheus: Prometheus) -> None:
    raised = {name: prometheus.query(query) for name, query in alert_queries().items()}
    assert not any(raised.values()), raised
