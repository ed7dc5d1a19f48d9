"""The clients of our own, against a server that is as slow as a test wants it to be."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.comparison import open_loop
from deploy.laboratory.namespace import sh

_STALL = 0.4
"""Seconds."""
_FIGURES = re.compile(r"(\w+)=(\d+)")


class _Server(ThreadingHTTPServer):
    """Counts its requests; stalls once, before it answers number `stall`."""

    daemon_threads = True
    stall = 0
    requests = 0
    status = 200


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self.server.requests += 1
        if self.server.requests == self.server.stall:
            time.sleep(_STALL)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"abc")

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(**settings: int) -> Iterator[_Server]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        for name, value in settings.items():
            setattr(server, name, value)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("client") / "open_loop"
    sh(["clang", "-Wall", "-Wextra", "-Werror", "-O2", "-o", str(path), str(open_loop.SOURCE)])
    return path


def figures(program: Path, server: _Server, connections: int, rate: float, seconds: float) -> dict[str, int]:
    place = ["127.0.0.1", str(server.server_port), "/"]
    output = sh([str(program), *place, str(connections), str(rate), str(seconds)])
    return {name: int(value) for name, value in _FIGURES.findall(output)}


def test_every_request_is_sent_and_counted_but_for_the_first_of_each_connection(program: Path) -> None:
    with serving() as server:
        found = figures(program, server, connections=4, rate=200, seconds=0.5)
        assert (found["requests"], found["unanswered"], server.requests) == (100, 0, 104)
    assert found["p50"] <= found["p99"] <= found["p999"] <= found["max"]


def test_what_waits_behind_a_late_answer_is_late_as_well(program: Path) -> None:
    with serving(stall=2) as server:
        found = figures(program, server, connections=1, rate=200, seconds=0.5)
    # Of 100 requests in 0.5 s, 80 are due while the first is out: the one in the middle waits for 0.15 s or longer.
    assert found["requests"] == 100
    assert found["max"] >= _STALL * 1e6
    assert found["p50"] >= 0.15e6


@pytest.mark.parametrize("status", [404, 503])
def test_another_answer_than_200_is_an_error(program: Path, status: int) -> None:
    with serving(status=status) as server:
        words = [str(program), "127.0.0.1", str(server.server_port), "/", "1", "10", "1"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"open_loop: an answer is not 200: HTTP/1.1 {status}")


def test_idle_connections_are_held_until_stdin_ends() -> None:
    command = [sys.executable, "-m", "deploy.comparison.hold", "127.0.0.1"]
    with serving() as server:
        words = [*command, str(server.server_port), "20", "/"]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "ready\n"
            assert server.requests == 20
            holder.communicate()
        assert holder.returncode == 0
