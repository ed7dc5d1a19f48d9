"""Every metric of design section 9, its value, and its series before anything has been counted."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from slowpath.control.metrics import Snapshot, families
from tests.unit.control import samples

METRICS_PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"


class Fixed(Collector):
    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        return families(self.snapshot)


def registry(snapshot: Snapshot) -> CollectorRegistry:
    made = CollectorRegistry()
    made.register(Fixed(snapshot))
    return made


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("build_info", {"version": version("l7lb")}, 1),
        ("fastpath_info", {"kind": "model"}, 1),
        ("fastpath_up", {}, 1),
        ("listener_connections_total", {"listener": "web"}, 21),
        ("listener_connections_total", {"listener": "alt"}, 0),
        ("fastpath_connections_total", {"listener": "web", "pool": "api"}, 14),
        ("fastpath_requests_total", {"listener": "web", "pool": "api"}, 15),
        ("fastpath_requests_total", {"listener": "alt", "pool": "www"}, 0),
        ("requests_total", {"listener": "web", "pool": "api"}, 22),
        ("requests_total", {"listener": "alt", "pool": "www"}, 0),
        ("responses_total", {"listener": "web", "code": "404"}, 23),
        ("responses_total", {"listener": "alt", "code": "503"}, 0),
        ("server_up", {"pool": "api", "server": "10.2.0.2:80"}, 1),
        ("server_up", {"pool": "www", "server": "10.2.0.3:80"}, 0),
        ("server_connections", {"pool": "api", "server": "10.2.0.2:80"}, 41),
        ("server_ejected", {"pool": "api", "server": "10.2.0.2:80"}, 1),
        ("server_ejected", {"pool": "www", "server": "10.2.0.3:80"}, 0),
        ("server_ejections_total", {"pool": "api", "server": "10.2.0.2:80", "reason": "reset"}, 42),
        ("server_ejections_total", {"pool": "www", "server": "10.2.0.3:80", "reason": "connect"}, 0),
        ("probe_failures_total", {"pool": "api", "server": "10.2.0.2:80", "reason": "status"}, 43),
        ("probe_failures_total", {"pool": "www", "server": "10.2.0.3:80", "reason": "no_route"}, 0),
        ("server_weight", {"pool": "api", "server": "10.2.0.2:80"}, 44),
        ("server_draining", {"pool": "api", "server": "10.2.0.2:80"}, 1),
        ("server_draining", {"pool": "www", "server": "10.2.0.3:80"}, 0),
        ("name_resolutions_total", {"pool": "api", "result": "failure"}, 91),
        ("name_resolutions_total", {"pool": "api", "result": "success"}, 92),
        ("servers_file_reads_total", {"pool": "www", "result": "failure"}, 93),
        ("pool_panic", {"pool": "api"}, 1),
        ("pool_panic", {"pool": "www"}, 0),
        ("server_packets_total", {"pool": "api", "server": "10.2.0.2:80", "direction": "to_server"}, 31),
        ("server_bytes_total", {"pool": "api", "server": "10.2.0.2:80", "direction": "to_client"}, 320),
        ("server_bytes_total", {"pool": "www", "server": "10.2.0.3:80", "direction": "to_client"}, 0),
        ("connect_duration_seconds_count", {}, 4),
        ("connect_duration_seconds_sum", {}, 60.0061),
        ("connect_duration_seconds_bucket", {"le": "0.0005"}, 1),
        ("connect_duration_seconds_bucket", {"le": "0.005"}, 3),
        ("connect_duration_seconds_bucket", {"le": "5.0"}, 3),
        ("connect_duration_seconds_bucket", {"le": "+Inf"}, 4),
        ("splice_install_duration_seconds_count", {}, 7),
        ("limited_total", {"listener": "web", "kind": "request_rate"}, 101),
        ("limited_total", {"listener": "alt", "kind": "connections"}, 0),
        ("resets_withheld_total", {}, 102),
        ("connect_failures_total", {"pool": "api", "reason": "timeout"}, 24),
        ("connect_failures_total", {"pool": "www", "reason": "refused"}, 0),
        ("queue_length", {"pool": "api"}, 84),
        ("queue_length", {"pool": "www"}, 0),
        ("queued_total", {"pool": "api"}, 81),
        ("queue_failures_total", {"pool": "api", "reason": "timeout"}, 82),
        ("queue_failures_total", {"pool": "www", "reason": "full"}, 0),
        ("queue_duration_seconds_count", {}, 83),
        ("splices", {}, 51),
        ("splice_capacity", {}, 4096),
        ("splice_collisions_total", {}, 13),
        ("overrides", {}, 71),
        ("reconciliations_total", {}, 72),
        ("punts_withheld_total", {}, 73),
        ("punts_total", {"reason": "syn"}, 33),
        ("punts_total", {"reason": "pivot"}, 0),
        ("slowpath_packets_total", {"direction": "in"}, 11),
        ("slowpath_packets_total", {"direction": "out"}, 12),
        ("drops_total", {"reason": "ttl"}, 34),
        ("drops_total", {"reason": "malformed"}, 35 + 25),
        ("drops_total", {"reason": "out_of_order"}, 26),
        ("drops_total", {"reason": "no_route"}, 0),
        ("drops_total", {"reason": "denied"}, 0),
        ("drops_total", {"reason": "limited"}, 0),
        ("syns_answered_total", {}, 36),
        ("handshakes_total", {}, 38),
        ("close_reports_lost_total", {}, 37),
        ("config_reloads_total", {"result": "failure"}, 61),
        ("config_reloads_total", {"result": "success"}, 0),
    ],
)
def test_value(name: str, labels: dict[str, str], value: float) -> None:
    assert registry(samples.snapshot()).get_sample_value(f"l7lb_{name}", labels) == pytest.approx(value)


def test_series_exist_before_they_count() -> None:
    """Prometheus would not see the increase of a series that appears with a value."""
    assert series(samples.snapshot()) == series(samples.idle())


@pytest.mark.parametrize("snapshot", [samples.idle(), samples.snapshot()], ids=["idle", "busy"])
def test_promtool_has_no_complaint(snapshot: Snapshot) -> None:
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=generate_latest(registry(snapshot)), capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_every_metric_is_documented() -> None:
    exposed = set(re.findall(rb"^# TYPE (\w+)", generate_latest(registry(samples.snapshot())), re.M))
    documented = re.findall(r"^\| `(l7lb_\w+)", METRICS_PAGE.read_text(), re.M)
    assert sorted(documented) == sorted(name.decode() for name in exposed)


def test_every_reason_of_a_drop_is_documented() -> None:
    exposed = re.findall(rb'l7lb_drops_total{reason="(\w+)"}', generate_latest(registry(samples.idle())))
    documented = re.findall(r"^\| `(\w+)` \| (?:fast path|slow path|both)", METRICS_PAGE.read_text(), re.M)
    assert sorted(documented) == sorted(reason.decode() for reason in exposed)


def series(snapshot: Snapshot) -> set[str]:
    return set(re.findall(r"^[^# ]+", generate_latest(registry(snapshot)).decode(), re.M))
