"""What the command line may ask for, and what the other balancers are told."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from deploy.comparison.command import Request, UsageError
from deploy.comparison.proxies import PROXIES, Proxy
from slowpath.control.cli import main


def checked(**changes: object) -> Request:
    options: dict[str, object] = {"quick": False, "rounds": None, "seconds": None, "only": None}
    return Request.checked(Path("out"), **(options | changes))  # type: ignore[arg-type]


def test_all_loads_are_the_default_and_quick_is_one_short_round() -> None:
    request = checked()
    names = ["bulk", "keep-alive-32", "keep-alive-512", "keep-alive-distinct"]
    names += ["connections", "connections-distinct", "latency", "idle"]
    assert [load.name for load in request.loads] == list(request.order) == names
    assert (request.rounds, request.seconds) == (5, 4)
    quick = checked(quick=True)
    assert (quick.rounds, quick.seconds) == (1, 1)
    assert "10,000" in request.loads[-1].title
    assert "2,000" in quick.loads[-1].title


def test_single_loads_keep_the_order_of_all() -> None:
    request = checked(only="latency, bulk", rounds=2)
    assert [load.name for load in request.loads] == ["bulk", "latency"]
    assert (request.rounds, len(request.order)) == (2, 8)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"only": "bulk,bluk"}, "there is no load bluk: --only takes some of bulk,keep-alive-32,"),
        ({"rounds": 0}, "--rounds and --seconds are 1 or more"),
        ({"seconds": -1}, "--rounds and --seconds are 1 or more"),
    ],
)
def test_wrong_usage_is_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        checked(**changes)


def test_wrong_usage_ends_in_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--output", "out", "--only", "nothing"]) == 2
    assert "there is no load nothing" in capsys.readouterr().err


@pytest.mark.parametrize("proxy", PROXIES, ids=lambda proxy: proxy.name)
def test_configurations_name_where_to_listen_and_whom_to_ask(proxy: Proxy, tmp_path: Path) -> None:
    command = proxy.prepare(tmp_path, address="10.1.0.1", port=8080, server="10.2.0.11:80", threads=3)
    assert Path(command[0]).name == proxy.program_name
    (path,) = tmp_path.iterdir()
    assert str(path) in command
    text = path.read_text()
    assert {"10.1.0.1", "8080", "10.2.0.11", "80"} <= set(re.findall(r"[\d.]+", text))
    assert re.search(r"(nbthread|worker_processes|--concurrency) 3\b", f"{text} {' '.join(command)}")
    assert "$" not in text, "everything that the template wants is there"


def test_programs_are_found_beside_python_as_well(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "envoy").write_text("#!/bin/sh\n")
    (tmp_path / "envoy").chmod(0o755)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", os.devnull)
    envoy = next(proxy for proxy in PROXIES if proxy.name == "envoy")
    assert envoy.program == str(tmp_path / "envoy")
