"""Clients that are denied, limited or slow, next to one that is none of that and notices nothing."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from deploy.laboratory import VIP, Laboratory, Namespace, Run
from deploy.laboratory.namespace import LaboratoryError, wait_until
from tests.e2e.fastpaths import EVERY_FASTPATH
from tests.e2e.sockets import connect, read_all, read_exactly, read_head, tcp_socket

pytestmark = EVERY_FASTPATH

_OPEN, _FENCED, _INVITED, _FEW, _PACED, _METERED, _LOGIN = range(8001, 8008)
_AT_A_TIME, _BURST = 3, 5
_METERED_BURST, _METERED_SECONDS = 20, 6
"""The burst of the listener with a request rate, and the time between two requests after it."""
_COUNTED = 5.0
_SLOW = 40
_GET = f"GET /1k HTTP/1.1\r\nHost: {VIP}\r\n\r\n".encode()


def _listeners(laboratory: Laboratory) -> dict[str, Any]:
    suspect, honest = laboratory.clients
    special: dict[str, tuple[int, dict[str, Any]]] = {
        "open": (_OPEN, {}),
        "fenced": (_FENCED, {"deny": [suspect.address]}),
        "invited": (_INVITED, {"allow": ["192.0.2.0/24", honest.address]}),
        "few": (_FEW, {"limits": {"connections_per_client": _AT_A_TIME}}),
        "paced": (_PACED, {"limits": {"connection_rate": {"rate": "6/m", "burst": _BURST}}}),
        "metered": (
            _METERED,
            {"limits": {"request_rate": {"rate": f"{60 // _METERED_SECONDS}/m", "burst": _METERED_BURST}}},
        ),
        "login": (
            _LOGIN,
            {"routes": [{"path": "/1k", "request_rate": {"rate": "1/m", "burst": 1, "per": "all"}, "pool": "web"}]},
        ),
    }
    return {name: {"address": f"{VIP}:{port}", "default": "web"} | keys for name, (port, keys) in special.items()}


@pytest.fixture(scope="module")
def run(laboratory: Laboratory) -> Iterator[Run]:
    config = laboratory.config(listeners=_listeners(laboratory), timeouts={"request_head": "2s"})
    started = laboratory.run(config)
    yield started
    assert started.stop() == 0, started.log_tail()


@pytest.fixture
def suspect(laboratory: Laboratory) -> Namespace:
    return laboratory.clients[0]


@pytest.fixture
def honest(laboratory: Laboratory) -> Namespace:
    return laboratory.clients[1]


def status(client: Namespace, port: int, path: str = "/1k") -> int:
    """The status of one request; raises LaboratoryError if there is none."""
    argv = ["curl", "-sS", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", f"http://{VIP}:{port}{path}"]
    return int(client.run(argv))


def silent(client: Namespace, port: int) -> bool:
    """Whether nothing comes back from there."""
    with tcp_socket(client) as connection:
        connection.settimeout(0.7)
        try:
            connection.connect((VIP, port))
        except TimeoutError:
            return True
    return False


def ask(connection: socket.socket) -> bool:
    """Whether a request is answered with 200, rather than by a reset."""
    try:
        connection.sendall(_GET)
        head = read_head(connection)
    except ConnectionResetError:
        return False
    if not head.startswith(b"HTTP/1.1 200 "):
        return False
    length = re.search(rb"Content-Length: (\d+)", head)
    assert length, head
    read_exactly(connection, int(length[1]))
    return True


@pytest.mark.parametrize("port", [_FENCED, _INVITED])
def test_a_denied_client_gets_no_answer(run: Run, suspect: Namespace, honest: Namespace, port: int) -> None:
    before = run.metrics().total("l7lb_drops_total", reason="denied")
    assert silent(suspect, port)
    assert status(honest, port) == 200
    assert run.metrics().total("l7lb_drops_total", reason="denied") > before


def test_a_client_that_a_reload_denies_keeps_its_connection(
    laboratory: Laboratory, run: Run, suspect: Namespace
) -> None:
    with connect(suspect, VIP, _OPEN) as connection:
        assert ask(connection)
        listeners = _listeners(laboratory)
        listeners["open"]["deny"] = [laboratory.clients[0].address]
        _reload(laboratory, run, listeners)
        assert silent(suspect, _OPEN)
        assert ask(connection)
    _reload(laboratory, run, _listeners(laboratory))
    assert status(suspect, _OPEN) == 200


def _reload(laboratory: Laboratory, run: Run, listeners: dict[str, Any]) -> None:
    laboratory.config(listeners=listeners, timeouts={"request_head": "2s"})
    before = run.metrics().total("l7lb_config_reloads_total", result="success")
    run.process.send_signal(signal.SIGHUP)
    wait_until(
        lambda: run.metrics().total("l7lb_config_reloads_total", result="success") > before, _COUNTED, "a reload"
    )


def test_a_client_has_so_many_connections_at_a_time(run: Run, suspect: Namespace, honest: Namespace) -> None:
    with ExitStack() as stack:
        held = [stack.enter_context(connect(suspect, VIP, _FEW)) for _ in range(_AT_A_TIME)]
        assert all(ask(connection) for connection in held)
        with connect(suspect, VIP, _FEW) as another:
            assert not ask(another)
        assert status(honest, _FEW) == 200
        assert all(ask(connection) for connection in held)
        assert run.metrics().total("l7lb_limited_total", listener="few", kind="connections") == 1
        assert run.metrics().total("l7lb_drops_total", reason="limited") >= 1
        held[0].close()
        wait_until(lambda: _answered(suspect, _FEW), _COUNTED, "there is room for another one")


def _answered(client: Namespace, port: int) -> bool:
    try:
        return status(client, port) == 200
    except LaboratoryError:
        return False


def test_a_client_opens_so_many_connections_in_a_time(run: Run, suspect: Namespace, honest: Namespace) -> None:
    served = [_answered(suspect, _PACED) for _ in range(_BURST + 3)]
    assert served == [True] * _BURST + [False] * 3
    assert status(honest, _PACED) == 200
    assert run.metrics().total("l7lb_limited_total", listener="paced", kind="connection_rate") == 3


def test_a_load_over_the_rate_is_told_when_to_come_again(run: Run, suspect: Namespace, honest: Namespace) -> None:
    """On connections that are kept alive, so that most requests come from the middle of one."""
    total = 3 * _METERED_BURST
    output = suspect.run(["ab", "-q", "-k", "-n", str(total), "-c", "4", f"http://{VIP}:{_METERED}/1k"], timeout=60.0)
    refused = re.search(r"^Non-2xx responses: +(\d+)", output, re.M)
    assert refused, output
    # While it ran, a few requests may have become due.
    assert total - _METERED_BURST - 3 <= int(refused[1]) <= total - _METERED_BURST
    assert run.metrics().total("l7lb_responses_total", listener="metered", code="429") == int(refused[1])
    assert run.metrics().total("l7lb_limited_total", listener="metered", kind="request_rate") == int(refused[1])
    with connect(suspect, VIP, _METERED) as connection:
        connection.sendall(_GET)
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 429 ")
    seconds = re.search(rb"\r\nRetry-After: (\d+)\r\n", answer)
    assert seconds, answer
    assert 1 <= int(seconds[1]) <= _METERED_SECONDS
    assert [status(honest, _METERED) for _ in range(5)] == [200] * 5


def test_a_route_has_a_rate_for_all_clients(run: Run, suspect: Namespace, honest: Namespace) -> None:
    assert [status(suspect, _LOGIN), status(honest, _LOGIN)] == [200, 429]
    assert status(honest, _LOGIN, "/10k") == 200


def test_slow_requests_end_and_others_do_not_wait_for_them(run: Run, suspect: Namespace, honest: Namespace) -> None:
    before = run.metrics().total("l7lb_responses_total", listener="open", code="408")
    with ExitStack() as stack:
        slow = [stack.enter_context(connect(suspect, VIP, _OPEN)) for _ in range(_SLOW)]
        for connection in slow:
            connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        for _ in range(3):
            assert status(honest, _OPEN) == 200
            for connection in slow:
                connection.sendall(b"x")
        answers = [read_all(connection) for connection in slow]
    assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers)
    assert run.metrics().total("l7lb_responses_total", listener="open", code="408") == before + _SLOW


def test_connections_that_say_nothing_cost_nothing(run: Run, suspect: Namespace, honest: Namespace) -> None:
    wait_until(lambda: not run.status()["connections"], _COUNTED, "the connections of other tests are forgotten")
    with ExitStack() as stack:
        for _ in range(_SLOW):
            stack.enter_context(connect(suspect, VIP, _OPEN))
        assert status(honest, _OPEN) == 200
        assert [row for row in run.status()["listeners"] if row["name"] == "open"]
        assert run.status()["connections"] <= 1
