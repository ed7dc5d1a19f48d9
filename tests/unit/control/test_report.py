"""What became of listeners and pools."""

from __future__ import annotations

import json

from slowpath.control.config import Config
from slowpath.control.discovery.targets import Targets, expand
from slowpath.control.report import Change, ProblemRow, Report, listener_rows, pool_rows
from tests.unit.control.configurations import configuration

_SERVERS: list[object] = ["10.2.0.1:80"]


def config(listeners: dict[str, str], **pools: list[object]) -> Config:
    return configuration(
        listeners={name: {"address": address, "default": next(iter(pools))} for name, address in listeners.items()},
        pools={name: {"servers": servers} for name, servers in pools.items()},
    )


def targets(of: Config) -> Targets:
    return {name: expand(pool.servers, {}, lambda endpoint: None) for name, pool in of.pools.items()}


def test_each_listener_is_accounted_for() -> None:
    before = config({"a": "10.1.0.1:80", "b": "10.1.0.2:80", "c": "10.1.0.3:80"}, web=_SERVERS)
    after = config(
        {"a": "10.1.0.1:80", "b": "10.1.0.2:81", "d": "10.1.0.4:80", "e": "10.1.0.5:80"}, web=["10.2.0.1:80"]
    )
    rows = listener_rows(before, after, {"e": "no room"})
    assert [(row.name, row.address, row.change, row.why) for row in rows] == [
        ("a", "10.1.0.1:80", Change.UNCHANGED, ""),
        ("b", "10.1.0.2:81", Change.CHANGED, ""),
        ("d", "10.1.0.4:80", Change.ADDED, ""),
        ("e", "10.1.0.5:80", Change.REFUSED, "no room"),
        ("c", "10.1.0.3:80", Change.REMOVED, ""),
    ]


def test_each_pool_is_accounted_for_with_its_servers() -> None:
    listeners = {"web": "10.1.0.1:80"}
    before = config(listeners, same=["10.2.0.1:80"], other=["10.2.0.1:80", "10.2.0.2:80"], gone=["10.2.0.3:80"])
    after = config(listeners, same=["10.2.0.1:80"], other=["10.2.0.2:80", "10.2.0.4:80"], new=["10.2.0.5:80"])
    rows = pool_rows(before, targets(before), after, targets(after))
    assert [(row.name, row.change, row.added, row.removed) for row in rows] == [
        ("same", Change.UNCHANGED, (), ()),
        ("other", Change.CHANGED, ("10.2.0.4:80",), ("10.2.0.1:80",)),
        ("new", Change.ADDED, ("10.2.0.5:80",), ()),
        ("gone", Change.REMOVED, (), ("10.2.0.3:80",)),
    ]


def test_a_pool_whose_name_has_other_addresses_has_changed() -> None:
    same = config({"web": "10.1.0.1:80"}, web=["10.2.0.1:80"])
    [row] = pool_rows(same, {"web": ()}, same, targets(same))
    assert (row.change, row.added) == (Change.CHANGED, ("10.2.0.1:80",))


def test_a_report_comes_back_as_it_was() -> None:
    rows = listener_rows(configuration(), configuration(), {})
    report = Report(in_force=False, error="no", problems=(ProblemRow("f", 1, "", "wrong"),), listeners=rows)
    assert Report.from_json(json.loads(json.dumps(report.to_json()))) == report
    assert str(report.problems[0]) == "f:1: wrong"
