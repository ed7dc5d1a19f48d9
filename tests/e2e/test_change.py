"""Changes under load: no request fails, no transfer breaks, and what was asked for holds."""

from __future__ import annotations

import hashlib
import json
import re
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from deploy.laboratory.configuration import pool
from deploy.laboratory.namespace import LaboratoryError
from deploy.laboratory.server import PORT
from slowpath.control.admin import request
from tests.e2e.clients import ab, curl
from tests.e2e.fastpaths import EVERY_FASTPATH
from tests.e2e.sockets import connect, read_exactly, read_head

pytestmark = EVERY_FASTPATH

_PATIENCE = 30.0
_TIMES = 20


def ask(run: Run, command: str, **arguments: object) -> Any:  # noqa: ANN401 - whatever the command answers
    """Have the instance do something, as the command line does."""
    return request(run.admin, command, arguments, timeout=_PATIENCE)


def refusal(run: Run, command: str, *arguments: str) -> str:
    """What `l7lb` says on its way to exit status 1."""
    with pytest.raises(LaboratoryError, match="exit status 1") as raised:
        run.cli(command, *arguments, "--admin", str(run.admin))
    return str(raised.value)


def while_asking(laboratory: Laboratory, change: Callable[[], object], times: int) -> int:
    """Make a change so many times while clients ask; returns how many requests failed."""
    done = Event()

    def keep_asking() -> int:
        failed = 0
        while not done.is_set():
            failed += ab(laboratory, "/1k", requests=100, concurrency=8)
        return failed

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(keep_asking)
        try:
            for _ in range(times):
                change()
        finally:
            done.set()
        return asking.result()


@pytest.fixture
def restored(laboratory: Laboratory, run: Run) -> Iterator[None]:
    """The laboratory's own configuration is in force again afterwards."""
    yield
    laboratory.config()
    assert ask(run, "reload")["in_force"]


@pytest.mark.usefixtures("restored")
def test_reloads_fail_no_request_and_break_no_transfer(laboratory: Laboratory, run: Run) -> None:
    size = "100M" if laboratory.default_config()["fastpath"]["kind"] == "ebpf" else "100k"
    first, second, third, fourth = (server.address for server in laboratory.servers)
    choices = [pool(first, second), pool(third, fourth, balance="maglev"), pool(first, third, second)]
    reports: list[dict[str, Any]] = []

    def reload() -> None:
        web = choices[len(reports) % len(choices)]
        laboratory.config(pools=laboratory.default_config()["pools"] | {"web": web})
        reports.append(ask(run, "reload"))

    with connect(laboratory.client, VIP, PORT) as client:
        client.sendall(f"GET /{size} HTTP/1.1\r\nHost: {VIP}\r\n\r\n".encode())
        head, _, body = read_head(client).partition(b"\r\n\r\n")
        assert while_asking(laboratory, reload, _TIMES) == 0
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        body += read_exactly(client, length - len(body))
    assert hashlib.sha256(body).hexdigest() == laboratory.digests[size]
    assert all(report["in_force"] for report in reports)


def test_a_server_that_leaves_keeps_its_connections_and_shows_them(laboratory: Laboratory, run: Run) -> None:
    only, others = laboratory.servers[0], [server.address for server in laboratory.servers[1:]]
    with connect(laboratory.client, VIP, PORT) as client:
        request = "GET /1k HTTP/1.1\r\nHost: img.example.com\r\n\r\n".replace("/1k", "/static/1k").encode()
        client.sendall(request)
        head, _, body = read_head(client).partition(b"\r\n\r\n")
        read_exactly(client, 1000 - len(body))
        assert f"X-Server: {only.name}".encode() in head
        laboratory.config(pools=laboratory.default_config()["pools"] | {"images": pool(*others)})
        report = ask(run, "reload")
        changes = {row["name"]: (row["change"], row["removed"]) for row in report["pools"]}
        assert changes["images"] == ("changed", [f"{only.address}:{PORT}"])
        [leaving] = [row for row in servers(run, "images") if not row["listed"]]
        assert (leaving["address"], leaving["connections"], leaving["draining"]) == (f"{only.address}:{PORT}", 1, True)
        laboratory.config()
        assert ask(run, "reload")["in_force"]
        [back] = servers(run, "images")
        assert (back["connections"], back["draining"], back["up"]) == (1, False, True)


@pytest.mark.usefixtures("restored")
def test_the_next_request_of_an_open_connection_follows_the_new_rules(laboratory: Laboratory, run: Run) -> None:
    first, second = laboratory.servers[:2]
    web = {"address": f"{VIP}:{PORT}", "routing": "request", "default": "web"}

    def ask_on(client: socket.socket) -> str:
        client.sendall(f"GET /1k HTTP/1.1\r\nHost: {VIP}\r\n\r\n".encode())
        head, _, body = read_head(client).partition(b"\r\n\r\n")
        read_exactly(client, 1000 - len(body))
        return str(re.findall(r"X-Server: (\S+)", head.decode())[0])

    def put_in_force(server: str) -> None:
        laboratory.config(listeners={"web": web}, pools={"web": pool(server)})
        assert ask(run, "reload")["in_force"]

    put_in_force(first.address)
    with connect(laboratory.client, VIP, PORT) as client:
        assert ask_on(client) == first.name
        put_in_force(second.address)
        assert ask_on(client) == second.name
        put_in_force(first.address)
        assert ask_on(client) == first.name


def test_a_drained_server_gets_no_new_connections_until_it_is_undrained(laboratory: Laboratory, run: Run) -> None:
    drained = laboratory.servers[0]
    address = f"{drained.address}:{PORT}"

    def drain_and_undrain() -> None:
        ask(run, "drain", server=address, pool="web")
        ask(run, "undrain", server=address, pool="web")

    assert while_asking(laboratory, drain_and_undrain, _TIMES) == 0
    rows = json.loads(run.cli("drain", address, "--wait", "--json", "--admin", str(run.admin)))
    assert {(row["pool"], row["draining"], row["connections"]) for row in rows} == {
        ("web", True, 0), ("images", True, 0),
    }  # fmt: skip
    assert drained.name not in answers(laboratory, 8)
    laboratory.config()
    assert ask(run, "reload")["in_force"]
    assert drained.name not in answers(laboratory, 8)
    assert curl(laboratory, "/static/1k", "-H", "Host: img.example.com").status == 503
    assert ask(run, "undrain", server=address)[0]["draining"] is False
    assert answers(laboratory, 8)[drained.name] == 2


@pytest.mark.usefixtures("restored")
def test_a_weight_holds_until_the_configuration_has_another(laboratory: Laboratory, run: Run) -> None:
    first, *others = laboratory.servers
    address = f"{first.address}:{PORT}"
    ask(run, "weight", server=address, weight=7, pool="web")
    assert answers(laboratory, 10)[first.name] == 7
    assert ask(run, "reload")["in_force"]
    assert answers(laboratory, 10)[first.name] == 7
    assert run.metrics().total("l7lb_server_weight", pool="web", server=address) == 7
    heavy = {"address": address, "weight": 2}
    web = pool() | {"servers": [heavy, *(f"{other.address}:{PORT}" for other in others)]}
    laboratory.config(pools=laboratory.default_config()["pools"] | {"web": web})
    assert ask(run, "reload")["in_force"]
    assert answers(laboratory, 10)[first.name] == 4
    ask(run, "weight", server=address, weight=0)
    assert first.name not in answers(laboratory, 6)
    [row] = ask(run, "weight", server=address, weight=None, pool="web")
    assert (row["weight"], row["configured_weight"]) == (2, 2)


@pytest.mark.usefixtures("restored")
def test_a_reload_says_what_is_wrong_and_what_it_did(laboratory: Laboratory, run: Run) -> None:
    path = laboratory.config(pools={"web": {"servers": ["10.2.0.11"]}})
    said = refusal(run, "reload")
    assert f"{path}:" in said
    assert "not in force" in said
    listeners = laboratory.default_config()["listeners"] | {"more": {"address": f"{VIP}:8080", "default": "web"}}
    laboratory.config(listeners=listeners)
    report = ask(run, "reload")
    assert {row["name"]: row["change"] for row in report["listeners"]} == {"web": "unchanged", "more": "added"}
    assert curl(laboratory, "/1k", address=f"{VIP}:8080").status == 200


def test_what_is_not_there_is_refused(run: Run) -> None:
    assert "there is no server 10.9.9.9:80 in any pool" in refusal(run, "drain", "10.9.9.9:80")
    assert "there is no pool 'wbe': did you mean 'web'?" in refusal(run, "drain", "10.2.0.11:80", "--pool", "wbe")


def test_top_shows_rates(laboratory: Laboratory, run: Run) -> None:
    with ThreadPoolExecutor(1) as executor:
        watching = executor.submit(run.cli, "top", "--interval", "1", "--json", "--admin", str(run.admin))
        while not watching.done():
            assert curl(laboratory, "/10k").status == 200
    seen = json.loads(watching.result())
    [listener] = seen["listeners"]
    assert listener["connections_per_second"] > 0
    assert listener["requests_per_second"] > 0
    assert sum(server["bytes_per_second_to_client"] for server in seen["servers"]) > 10_000


def servers(run: Run, name: str) -> list[dict[str, Any]]:
    """The servers of a pool as `status` shows them."""
    [rows] = [shown["servers"] for shown in run.status()["pools"] if shown["name"] == name]
    listed: list[dict[str, Any]] = rows
    return listed


def answers(laboratory: Laboratory, requests: int) -> Counter[str]:
    """How many requests each server answers."""
    return Counter(curl(laboratory, "/1k").server for _ in range(requests))
