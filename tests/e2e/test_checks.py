"""What probes ask, and what clients' connections show: who is sent to which server, and who is spared it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.laboratory import VIP, Laboratory, Run, Server
from deploy.laboratory.configuration import pool
from deploy.laboratory.namespace import LaboratoryError, Namespace, end, wait_until
from deploy.laboratory.server import DIRECT_PORT, PORT
from tests.certificates import certificate
from tests.e2e.clients import ab, curl
from tests.e2e.fastpaths import EVERY_FASTPATH
from tests.e2e.scripted import ScriptedServer
from tests.e2e.sockets import listening_socket, reset

pytestmark = EVERY_FASTPATH

_TIMEOUT = 10.0
_QUICK = {"interval": "200ms", "timeout": "150ms", "rise": 1, "fall": 1}
_PATIENT = {"interval": "500ms", "timeout": "500ms", "rise": 1, "fall": 3}
"""Checks that say nothing of a server that is exchanged for another."""
_TLS_PORT, _TLS_NAME = 8443, "www.example.com"
_PORTS = {"ready": PORT, "watched": 81, "panicking": 82}
"""Of the VIP, by the pool that it leads to."""
_STATE = "state"
"""A file of each server, which tells of its state."""


def _set_state(server: Server, text: str) -> None:
    (server.uploads / _STATE).write_text(text)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@contextlib.contextmanager
def _tls_server(server: Server, directory: Path, name: str) -> Iterator[None]:
    """An HTTPS server of openssl's, with a certificate for `name`."""
    made = certificate(directory, name)
    argv = ["openssl", "s_server", "-quiet", "-www", "-accept", str(_TLS_PORT)]
    process = server.namespace.popen([*argv, "-cert", str(made.path), "-key", str(made.key)])
    ready = ["curl", "-skf", "-m", "1", "-o", "/dev/null", f"https://{server.address}:{_TLS_PORT}/"]
    try:
        wait_until(lambda: server.namespace.succeeds(ready), _TIMEOUT, "openssl s_server answers")
        yield
    finally:
        end(process)


@pytest.fixture(scope="module")
def run(laboratory: Laboratory, directory: Path) -> Iterator[Run]:
    servers = [server.address for server in laboratory.servers]
    for server in laboratory.servers:
        _set_state(server, "state: ready\n")
    http = {"http": f"/upload/{_STATE}", "body": {"regex": "^state: (ready|busy)\n$"}, "status": ["200-299", 304]}
    tls = {"tls": {"server_name": _TLS_NAME, "ca": str(directory / f"{_TLS_NAME}.pem")}, "http": "/", "body": "Ciphers"}
    passive = {"connect_failures": 2, "resets": 2, "ejection": "2s", "reset_within": "500ms"}
    pools: dict[str, Any] = {
        "ready": pool(*servers, health={**_QUICK, **http}),
        "watched": pool(*servers, health={**_PATIENT, "http": "/healthz", "port": DIRECT_PORT}, passive=passive),
        "panicking": pool(*servers, health={**_QUICK, "http": "/healthz"}, panic=60, passive=False),
        "secure": {"health": {**_QUICK, **tls, "timeout": "1s"}, "servers": [f"{servers[0]}:{_TLS_PORT}"]},
    }
    listeners = {
        name: {"address": f"{VIP}:{port}", "protocol": "http", "default": name} for name, port in _PORTS.items()
    }
    with _tls_server(laboratory.servers[0], directory, _TLS_NAME):
        started = laboratory.run(laboratory.config(listeners=listeners, pools=pools))
        wait_until(lambda: up(started, "secure") == 1, _TIMEOUT, "the server of openssl is up")
    yield started
    assert started.stop() == 0, started.log_tail()


def up(run: Run, name: str) -> int:
    """How many servers of a pool are up."""
    return int(run.metrics().total("l7lb_server_up", pool=name))


def status(run: Run, name: str, server: Server, port: int = PORT) -> dict[str, Any]:
    """What the status says of a server of a pool."""
    [servers] = [each["servers"] for each in run.status()["pools"] if each["name"] == name]
    [found] = [each for each in servers if each["address"] == f"{server.address}:{port}"]
    return dict(found)


def served_by(laboratory: Laboratory, name: str, requests: int = 8) -> set[str]:
    """The names of the servers that answer requests to a pool; each has to be answered."""
    answers = [curl(laboratory, "/1k", address=f"{VIP}:{_PORTS[name]}") for _ in range(requests)]
    assert {answer.status for answer in answers} == {200}
    return {answer.server for answer in answers}


def names(*servers: Server) -> set[str]:
    return {server.name for server in servers}


def test_body_and_status(laboratory: Laboratory, run: Run) -> None:
    first, *others = laboratory.servers
    _set_state(first, "state: starting\n")
    wait_until(lambda: up(run, "ready") == 3, _TIMEOUT, "another body is noticed")
    assert status(run, "ready", first)["why"] == "the body does not match, in 16 bytes"
    assert served_by(laboratory, "ready") == names(*others)
    (first.uploads / _STATE).unlink()
    wait_until(lambda: status(run, "ready", first)["why"] == "status 404", _TIMEOUT, "another status is noticed")
    _set_state(first, "state: busy\n")
    wait_until(lambda: up(run, "ready") == 4, _TIMEOUT, "the recovery is noticed")
    failures = run.metrics()
    for reason in ("body", "status"):
        assert failures.total("l7lb_probe_failures_total", pool="ready", reason=reason) >= 1


def test_flapping_is_damped(laboratory: Laboratory, run: Run) -> None:
    server = laboratory.servers[1]
    needed = []
    for _ in range(3):
        _set_state(server, "state: ill\n")
        wait_until(lambda: up(run, "ready") == 3, _TIMEOUT, "it goes down")
        needed.append(status(run, "ready", server)["rise"])
        _set_state(server, "state: ready\n")
        wait_until(lambda: up(run, "ready") == 4, _TIMEOUT, "it comes up")
    assert needed == [1, 2, 4]


def test_a_frozen_server(laboratory: Laboratory, run: Run) -> None:
    server = laboratory.servers[2]
    server.freeze()
    try:
        wait_until(lambda: up(run, "ready") == 3, _TIMEOUT, "the silence is noticed")
        assert status(run, "ready", server)["why"] == "no response within 0.15 s"
        assert server.name not in served_by(laboratory, "ready")
    finally:
        server.thaw()
    wait_until(lambda: up(run, "ready") == 4, _TIMEOUT, "the recovery is noticed")


def test_certificates(laboratory: Laboratory, run: Run, directory: Path) -> None:
    server = laboratory.servers[0]
    wait_until(lambda: up(run, "secure") == 0, _TIMEOUT, "the server has gone")
    assert status(run, "secure", server, _TLS_PORT)["why"] == "connection refused"
    with _tls_server(server, directory, "other.example.com"):

        def is_noticed() -> bool:
            return bool(status(run, "secure", server, _TLS_PORT)["why"] == "TLS: self-signed certificate")

        wait_until(is_noticed, _TIMEOUT, "the other certificate is noticed")


class _Resetting:
    """A server that accepts, and resets every connection that says anything."""

    def __init__(self, namespace: Namespace, port: int) -> None:
        self._listener = listening_socket(namespace, port)
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(2)
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.recv(1)
                reset(connection)


@contextlib.contextmanager
def _instead_of_nginx(run: Run, server: Server, ill: Callable[[], _Resetting] | None) -> Iterator[None]:
    """Nobody, or who is `ill`, serves at the server's own port; probes of the other one find it well."""
    server.stop()
    standing_in = ill() if ill is not None else None
    try:
        with ScriptedServer(server.namespace, DIRECT_PORT):
            wait_until(lambda: up(run, "watched") == 4, _TIMEOUT, "the checks find it well")
            yield
    finally:
        if standing_in is not None:
            standing_in.close()
        server.start()


def ejected(run: Run, reason: str) -> int:
    """How many ejections for `reason` there were in the pool that is watched."""
    return int(run.metrics().total("l7lb_server_ejections_total", pool="watched", reason=reason))


def wait_until_back(laboratory: Laboratory, run: Run, server: Server) -> None:
    """Return once a server that was ejected has its share again."""
    wait_until(lambda: server.name in served_by(laboratory, "watched"), 2 * _TIMEOUT, "one connection is on trial")
    wait_until(lambda: not status(run, "watched", server)["ejected"], _TIMEOUT, "the server has proved itself")


def test_a_server_that_refuses_is_ejected_and_nobody_notices(laboratory: Laboratory, run: Run) -> None:
    server = laboratory.servers[3]
    before = run.metrics().total("l7lb_connect_failures_total", pool="watched")
    with _instead_of_nginx(run, server, None):
        assert ab(laboratory, "/1k", requests=60, concurrency=4, address=f"{VIP}:{_PORTS['watched']}") == 0
        assert ejected(run, "connect") >= 1
        # Of the 15 that were its turn: two in a row, those on their way at the time, and trials.
        assert run.metrics().total("l7lb_connect_failures_total", pool="watched") - before < 12

        def is_shown() -> bool:
            # Four, so that it would be on trial if its time were over, and ejected for longer.
            served_by(laboratory, "watched", 4)
            return bool(status(run, "watched", server)["ejected"] == "connect")

        wait_until(is_shown, _TIMEOUT, "the status shows it")
    wait_until_back(laboratory, run, server)


def test_a_server_that_resets_is_ejected_and_comes_back(laboratory: Laboratory, run: Run) -> None:
    first, *others = laboratory.servers
    address = f"http://{VIP}:{_PORTS['watched']}/1k"
    with _instead_of_nginx(run, first, lambda: _Resetting(first.namespace, PORT)):

        def is_ejected() -> bool:
            laboratory.client.run(["curl", "-s", "-m", "5", "-o", "/dev/null", address], check=False)
            return ejected(run, "reset") >= 1

        wait_until(is_ejected, _TIMEOUT, "resets are noticed")
        assert status(run, "watched", first)["up"]
        # In turn it would be among any four; a machine that is slow may meet a connection on trial, too.
        wait_until(lambda: _served_without_error(laboratory) == names(*others), _TIMEOUT, "the others serve")
    wait_until_back(laboratory, run, first)


def _served_without_error(laboratory: Laboratory) -> set[str]:
    """The names of the servers that answered four requests, nobody if one got no answer."""
    try:
        return served_by(laboratory, "watched", 4)
    except LaboratoryError:
        return set()


def test_panic(laboratory: Laboratory, run: Run) -> None:
    healthy, down = laboratory.servers[:2], laboratory.servers[2:]
    for server in down:
        server.stop()
    try:
        wait_until(lambda: up(run, "panicking") == 2, _TIMEOUT, "the failures are noticed")
        assert run.metrics().total("l7lb_pool_panic", pool="panicking") == 1
        assert served_by(laboratory, "panicking") == names(*healthy)
        # Those that are down had their turn as well.
        assert run.metrics().total("l7lb_connect_failures_total", pool="panicking", reason="refused") >= 2
    finally:
        for server in down:
            server.start()
    wait_until(lambda: up(run, "panicking") == 4, _TIMEOUT, "the recovery is noticed")
    assert run.metrics().total("l7lb_pool_panic", pool="panicking") == 0
