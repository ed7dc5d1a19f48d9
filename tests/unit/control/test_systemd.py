"""What systemd is told, on a real notification socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from slowpath.control import systemd


@pytest.fixture(params=["path", "abstract"])
def notified(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[socket.socket]:
    name = str(tmp_path / "notify")
    address = name if request.param == "path" else f"\0{name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(address)
        receiver.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", address.replace("\0", "@"))
        yield receiver


def test_ready(notified: socket.socket) -> None:
    systemd.ready()
    assert notified.recv(1024) == b"READY=1"


def test_reloading_carries_the_clock(notified: socket.socket) -> None:
    systemd.reloading(12.5)
    assert notified.recv(1024) == b"RELOADING=1\nMONOTONIC_USEC=12500000"


def test_stopping(notified: socket.socket) -> None:
    systemd.stopping()
    assert notified.recv(1024) == b"STOPPING=1"


def test_without_systemd_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    systemd.ready()
