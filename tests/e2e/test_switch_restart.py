"""Either side of the control plane goes and comes back: nothing leaks, and what is spliced goes on."""

from __future__ import annotations

import signal

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from deploy.laboratory.configuration import pool
from deploy.laboratory.namespace import wait_until
from tests.e2e.clients import ab, curl
from tests.e2e.fastpaths import ON_EVERY_SWITCH
from tests.e2e.runs import running
from tests.e2e.scripted import SCRIPTED_PORT, ScriptedServer, scripted_listener
from tests.e2e.sockets import TIMEOUT, connect, read_all, read_exactly, read_head, refuses, sending
from tests.e2e.switch_tables import records, usage

pytestmark = ON_EVERY_SWITCH

_PORT = 80
_REQUEST = f"GET /1M HTTP/1.1\r\nHost: {VIP}\r\nConnection: close\r\n\r\n".encode()
_SIZE = 1_000_000
_TIMEOUTS = {"linger": "500ms"}
_TABLES = ("vips", "servers", "paths_to_server", "paths_to_client", "connections", "overrides")


def test_the_next_one_starts_without_the_records_of_one_that_was_killed(laboratory: Laboratory) -> None:
    killed = laboratory.run(laboratory.config())
    with connect(laboratory.client, VIP, _PORT) as client:
        client.sendall(_REQUEST)
        read_exactly(client, 1000)
        assert records(laboratory) == 1
        killed.process.kill()
        killed.process.wait()
        with running(laboratory):
            assert records(laboratory) == 0
            assert curl(laboratory, "/1k").status == 200


def test_nothing_stays_in_the_tables(laboratory: Laboratory) -> None:
    with running(laboratory, timeouts=_TIMEOUTS) as run:
        assert ab(laboratory, "/1k", requests=100, concurrency=8) == 0
        wait_until(lambda: run.status()["connections"] == 0, TIMEOUT, "no connection is left")
        wait_until(lambda: records(laboratory) == 0, TIMEOUT, "no record is left")
    assert usage(laboratory, *_TABLES) == dict.fromkeys(_TABLES, 0)


@pytest.mark.parametrize("source", ["transparent", {"snat": ["10.2.0.32/28"]}], ids=["transparent", "snat"])
def test_a_switch_that_forgot_everything_is_told_again(laboratory: Laboratory, source: object) -> None:
    """An open connection goes on, new ones are served, and L7LB is not restarted."""
    with (
        ScriptedServer(laboratory.servers[0].namespace, SCRIPTED_PORT) as scripted,
        running(laboratory, source=source, **scripted_listener(laboratory)) as run,
    ):
        with connect(laboratory.client, VIP, SCRIPTED_PORT) as client:
            client.sendall(_REQUEST)
            server, _ = scripted.accept()
            laboratory.switch.stop()
            laboratory.switch.start()
            with server, sending(server, b"x" * _SIZE):
                assert len(read_all(client)) == _SIZE
        # The health checks have failed meanwhile.
        address = f"{VIP}:{SCRIPTED_PORT}"
        wait_until(lambda: curl(laboratory, "/healthz", address=address).status == 200, TIMEOUT, "new ones are served")
        assert run.process.poll() is None


def test_sigterm_lets_open_connections_end(laboratory: Laboratory) -> None:
    with running(laboratory) as run:
        with connect(laboratory.client, VIP, _PORT) as client:
            client.sendall(_REQUEST)
            rest = _SIZE - len(read_head(client).partition(b"\r\n\r\n")[2])
            run.process.terminate()
            wait_until(lambda: refuses(laboratory.client, VIP, _PORT), TIMEOUT, "new connections are refused")
            assert run.process.poll() is None
            assert len(read_exactly(client, rest)) == rest
            assert client.recv(1) == b""
        assert run.process.wait(TIMEOUT) == 0


def test_a_reload_moves_new_connections_and_keeps_open_ones(laboratory: Laboratory) -> None:
    with running(laboratory) as run, connect(laboratory.client, VIP, _PORT) as client:
        client.sendall(_REQUEST)
        rest = _SIZE - len(read_head(client).partition(b"\r\n\r\n")[2])
        only = laboratory.servers[-1]
        pools = laboratory.default_config()["pools"] | {"web": pool(only.address)}
        laboratory.config(pools=pools)
        _reload(run)
        assert {curl(laboratory, "/1k").server for _ in range(4)} == {only.name}
        assert len(read_exactly(client, rest)) == rest


def _reload(run: Run) -> None:
    run.process.send_signal(signal.SIGHUP)
    wait_until(
        lambda: run.metrics().total("l7lb_config_reloads_total", result="success") == 1, TIMEOUT, "the reload succeeds"
    )
