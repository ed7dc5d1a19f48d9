"""Where lines of the access log go."""

from __future__ import annotations

import os
import resource
import socket
from pathlib import Path

import pytest

from slowpath.accesslog.sinks import File, StandardOutput, Syslog


def test_a_file_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("old\n")
    sink = File(path)
    sink.write(["a", "b"])
    sink.write(["ä"])
    sink.close()
    assert path.read_text() == "old\na\nb\nä\n"


def test_a_file_that_was_moved_away(tmp_path: Path) -> None:
    path = tmp_path / "log"
    sink = File(path)
    sink.write(["a"])
    path.rename(tmp_path / "log.1")
    sink.write(["b"])
    sink.reopen()
    sink.write(["c"])
    sink.close()
    assert ((tmp_path / "log.1").read_text(), path.read_text()) == ("a\nb\n", "c\n")


def test_a_directory_that_is_missing_and_comes(tmp_path: Path) -> None:
    path = tmp_path / "later" / "log"
    sink = File(path)
    with pytest.raises(FileNotFoundError):
        sink.write(["a"])
    path.parent.mkdir()
    sink.write(["b"])
    sink.close()
    assert path.read_text() == "b\n"


def test_a_full_disk() -> None:
    sink = File(Path("/dev/full"))
    for _ in range(2):
        with pytest.raises(OSError, match="No space left"):
            sink.write(["a"])
    sink.close()


def test_a_line_that_was_cut_short_is_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "log"
    sink = File(path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len("a\nb"), limits[1]))
    try:
        for _ in range(2):
            with pytest.raises(OSError, match="File too large"):
                sink.write(["a", "bcd"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    sink.write(["e"])
    sink.write(["f"])
    sink.close()
    assert path.read_text() == "a\nb\ne\nf\n"


def test_standard_output() -> None:
    reader, writer = os.pipe()
    sink = StandardOutput(writer)
    sink.reopen()
    sink.write(["a", "b"])
    sink.close()
    os.close(writer)
    with os.fdopen(reader) as output:
        assert output.read() == "a\nb\n"


def test_syslog_by_a_socket_that_comes_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "log"
    sink = Syslog(str(path))
    with pytest.raises(OSError, match="No such file"):
        sink.write(["early"])
    for line in ("a %s", "b"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
            daemon.bind(str(path))
            sink.write([line])
            assert daemon.recv(100) == b"<134>l7lb: " + line.encode()
        path.unlink()
    sink.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_syslog_by_udp(host: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind((host, 0))
        sink = Syslog((host, daemon.getsockname()[1]))
        sink.write(["a", "b"])
        assert [daemon.recv(100), daemon.recv(100)] == [b"<134>l7lb: a", b"<134>l7lb: b"]
        sink.reopen()
        sink.write(["c"])
        assert daemon.recv(100) == b"<134>l7lb: c"
        sink.close()


def test_a_line_too_long_for_a_datagram_is_lost_alone() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        sink = Syslog(("127.0.0.1", daemon.getsockname()[1]))
        with pytest.raises(OSError, match="too long"):
            sink.write(["x" * 70_000, "b"])
        assert daemon.recv(100) == b"<134>l7lb: b"
        sink.close()
