"""Log lines, at a terminal and in the journal."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest

from slowpath.control import logs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_has_its_time_and_level(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    logs.set_up()
    logging.getLogger("slowpath.test").warning("pool %s is down", "web")
    logging.getLogger("slowpath.test").debug("not shown")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} WARNING slowpath.test: pool web is down\n", capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("level", "priority"), [(logging.CRITICAL, 3), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6)]
)
def test_the_journal_gets_a_priority_on_every_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], level: int, priority: int
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    logs.set_up()
    logging.getLogger("slowpath.test").log(level, "one\ntwo")
    assert capsys.readouterr().err == f"<{priority}>slowpath.test: one\n<{priority}>two\n"
