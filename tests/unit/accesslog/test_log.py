"""The thread that writes the access log."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from random import Random

import pytest

from deploy.laboratory.namespace import wait_until
from slowpath.accesslog import log as module
from slowpath.accesslog.entry import Entry
from slowpath.accesslog.log import AccessLog
from slowpath.wire.endpoint import Endpoint

HERE = Endpoint.parse("10.0.0.1:1")
_PATIENCE = 10.0


def entry(name: str) -> Entry:
    return Entry(time.monotonic(), HERE, HERE, name, "http")


class Memory:
    """A sink that can be made to fail or to wait."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.times: list[float] = []
        self.reopened = self.closed = False
        self.failure: OSError | None = None
        self.free = threading.Event()
        self.free.set()
        self.called = threading.Event()

    def write(self, lines: Sequence[str]) -> None:
        self.called.set()
        assert self.free.wait(_PATIENCE)
        if self.failure is not None:
            raise self.failure
        self.lines += lines

    def reopen(self) -> None:
        self.reopened = True

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def sink() -> Memory:
    return Memory()


@pytest.fixture
def access_log(sink: Memory) -> Iterator[AccessLog]:
    def line(entry: Entry, time: float) -> str:
        sink.times.append(time)
        return entry.listener

    log = AccessLog(line, sink, Random(1).random)
    yield log
    sink.free.set()
    log.close()
    assert sink.closed


def test_lines_are_written_in_their_order(access_log: AccessLog, sink: Memory) -> None:
    names = [str(number) for number in range(1000)]
    before = time.time()
    for name in names:
        access_log.write(entry(name))
    access_log.close()
    assert sink.lines == names
    assert (access_log.written, access_log.lost) == (1000, 0)
    assert all(abs(moment - before) < _PATIENCE for moment in sink.times)


def test_too_many_are_lost_and_nobody_waits(
    access_log: AccessLog, sink: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LIMIT", 10)
    sink.free.clear()
    access_log.write(entry("first"))
    assert sink.called.wait(_PATIENCE)
    for number in range(15):
        access_log.write(entry(str(number)))
    assert access_log.lost == 5
    sink.free.set()
    access_log.close()
    assert sink.lines == ["first", *map(str, range(10))]


def test_what_cannot_be_written_is_said_once(
    access_log: AccessLog, sink: Memory, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        for count, failure in enumerate((OSError("no space"), OSError("no space"), None), start=1):
            sink.failure = failure
            access_log.write(entry("a"))
            wait_until(lambda: access_log.written + access_log.lost == count, _PATIENCE, "the line is dealt with")  # noqa: B023 - called at once
        access_log.close()
    assert (access_log.written, access_log.lost) == (1, 2)
    assert [record.message for record in caplog.records] == [
        "the access log cannot be written, lines are lost: no space"
    ]


def test_reopening(access_log: AccessLog, sink: Memory) -> None:
    access_log.reopen()
    access_log.close()
    assert sink.reopened


def test_sampling(access_log: AccessLog) -> None:
    assert all(access_log.takes(1.0) for _ in range(100))
    assert not any(access_log.takes(0.0) for _ in range(100))
    expected = Random(1)
    for _ in range(100):
        expected.random()
    assert [access_log.takes(0.3) for _ in range(50)] == [expected.random() < 0.3 for _ in range(50)]
