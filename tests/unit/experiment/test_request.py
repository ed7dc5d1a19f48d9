"""What may be asked for, and what is refused before anything is built."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from deploy.experiment.kinds import KINDS, Kind
from deploy.experiment.request import Request, UsageError
from deploy.laboratory.laboratory import FASTPATHS
from deploy.laboratory.namespace import LaboratoryError
from slowpath.control.cli import main


def checked(
    output: Path = Path("out"),
    *,
    sizes: str | None = None,
    clients: int = 4,
    servers: int = 4,
    requests: int | None = None,
) -> Request:
    return Request.checked("ebpf", output, sizes=sizes, clients=clients, servers=servers, requests=requests)


def test_the_default_sizes_reach_from_1_kb_to_10_mb() -> None:
    sizes = checked().sizes
    assert (sizes[0], sizes[-1]) == (1_000, 10_000_000)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sizes": "1k,ten"}, "'ten' is not a size"),
        ({"sizes": "1k"}, "--sizes 1k is one size"),
        ({"clients": 0}, "1 to 90 clients, not 0"),
        ({"clients": 91}, "1 to 90 clients, not 91"),
        ({"servers": 101}, "1 to 100 servers, not 101"),
        ({"requests": 0}, "--requests is 1 to 2000 for each client, not 0"),
        ({"requests": 2001}, "--requests is 1 to 2000"),
    ],
)
def test_wrong_values_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        checked(**changes)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_client_asks_at_least_once_and_all_for_no_more_than_the_kind_carries(kind: Kind) -> None:
    for clients in (1, 4, 90):
        for size in (1_000, 100_000, 10_000_000):
            requests = kind.load(size, clients, None).requests
            assert requests >= 1
            assert requests == 1 or requests * clients <= kind.connections
            assert requests == 1 or requests * clients * size <= kind.octets
    assert kind.load(10_000_000, 4, 77).requests == 77


def test_the_plot_is_known_to_be_possible_before_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LaboratoryError, match=r"matplotlib: pip install 'l7lb\[experiment\]'"):
        checked(tmp_path / "new").prepare()
    assert not (tmp_path / "new").exists()


def test_without_root_it_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LaboratoryError, match="run it as root"):
        checked(tmp_path).prepare()


@pytest.fixture
def able(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which everything is there."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda program: program)


def test_missing_programs_are_named(able: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: None)
    with pytest.raises(LaboratoryError, match=r"not on PATH: ab, nginx; docs/experiment\.md"):
        checked(tmp_path).prepare()


def test_the_output_directory_is_made_or_used_as_it_is(able: None, tmp_path: Path) -> None:
    for _ in range(2):
        checked(tmp_path / "some" / "where").prepare()
    assert (tmp_path / "some" / "where").is_dir()


def test_an_output_directory_that_is_a_file_is_refused(able: None, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LaboratoryError, match=r"cannot write results to .*file: File exists"):
        checked(tmp_path / "file").prepare()


def test_there_is_a_kind_for_every_fast_path_of_the_laboratory() -> None:
    assert set(KINDS) == set(FASTPATHS)


def test_the_command_line_offers_every_fast_path(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["experiment", "fig3", "--help"])
    assert f"{{{','.join(FASTPATHS)}}}" in capsys.readouterr().out


def test_wrong_usage_has_exit_status_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["experiment", "fig3", "--output", str(tmp_path), "--sizes", "1k,2x"]) == 2
    assert capsys.readouterr().err.startswith("l7lb experiment fig3: '2x' is not a size")
