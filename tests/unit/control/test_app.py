"""The application on a fast path that refuses: what ends it, and what does not."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from fastpath.errors import FastPathError, Rejected
from fastpath.memory import MemoryFastPath
from fastpath.pipeline.statistics import Statistics
from fastpath.records import Listener, NextHop, Server
from slowpath.control.admin import Handler
from slowpath.control.app import Application
from slowpath.control.config import ServerName, load
from slowpath.control.discovery.names import Resolver, system_resolver
from slowpath.control.report import Change, Report
from slowpath.control.status import ServerRow
from slowpath.wire.endpoint import Endpoint

_CHECKS = {"tcp": True, "interval": "10s", "timeout": "10ms", "fall": 1}
_REFUSED = "10.1.0.66:80"
_DEADLINE = 10.0


class Choosy(MemoryFastPath):
    """Refuses one listener, and remembers the others that it was last told."""

    def __init__(self) -> None:
        super().__init__([0])
        self.listeners: list[Listener] = []
        self.servers: list[Server] = []

    async def configure(
        self, listeners: Sequence[Listener], servers: Sequence[Server], next_hops: Sequence[NextHop]
    ) -> None:
        if any(str(listener.endpoint) == _REFUSED for listener in listeners):
            raise Rejected(f"there is no room for listener {_REFUSED}")
        await super().configure(listeners, servers, next_hops)
        self.listeners, self.servers = list(listeners), list(servers)


class Nowhere:
    """A host that reaches no server."""

    def __init__(self) -> None:
        self.networks: list[str] = []

    async def answer_for(self, networks: Iterable[str]) -> None:
        self.networks = list(networks)

    def source_address(self, server: Endpoint) -> bytes | None:
        return None

    def statistics(self) -> Statistics:
        return Statistics(overrides=0, reconciliations=0, punts_withheld=0)

    async def close(self) -> None:
        self.networks = []


def write(path: Path, listeners: dict[str, str], servers: list[str]) -> None:
    document = {
        "fastpath": {"interfaces": ["eth0"]},
        "listeners": {name: {"address": address, "default": "web"} for name, address in listeners.items()},
        "pools": {"web": {"health": _CHECKS, "servers": servers, "resolve": "10ms"}},
        "timeouts": {"drain": "100ms"},
    }
    path.write_text(yaml.safe_dump(document))


@asynccontextmanager
async def running(
    path: Path, fastpath: Choosy, host: Nowhere, resolver: Resolver = system_resolver
) -> AsyncIterator[dict[str, Handler]]:
    """The application, ready, with its answers to admin commands; stopped by SIGTERM."""
    handlers: dict[str, Handler] = {}
    async with AsyncExitStack() as stack:
        app = Application(path, load(path), fastpath, host, handlers, resolver)
        serving = asyncio.create_task(app.serve(stack))
        await until(lambda: bool(handlers) or serving.done())
        yield handlers
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(serving, _DEADLINE)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_DEADLINE):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


async def listed(handlers: dict[str, Handler]) -> dict[str, Any]:
    status: Any = await handlers["status"]({})
    return {
        "listeners": [listener["address"] for listener in status["listeners"]],
        "servers": [server["address"] for server in status["pools"][0]["servers"]],
    }


def test_a_refusal_at_the_start_is_the_end(tmp_path: Path) -> None:
    path = tmp_path / "l7lb.yaml"
    write(path, {"web": _REFUSED}, ["10.2.0.1:80"])

    async def start() -> None:
        async with AsyncExitStack() as stack:
            await Application(path, load(path), Choosy(), Nowhere(), {}).serve(stack)

    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(start())
    assert raised.group_contains(FastPathError, match="there is no room for listener")


def test_a_refusal_at_a_reload_leaves_the_old_configuration(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, fastpath, host = tmp_path / "l7lb.yaml", Choosy(), Nowhere()
    write(path, {"web": "10.1.0.1:80"}, ["10.2.0.1:80", "10.2.0.2:80"])

    async def reload() -> None:
        async with running(path, fastpath, host) as handlers:
            before, ids = await listed(handlers), [server.id for server in fastpath.servers]
            write(path, {"web": "10.1.0.1:80", "more": _REFUSED}, ["10.2.0.2:80", "10.2.0.3:80"])
            os.kill(os.getpid(), signal.SIGHUP)
            await until(lambda: "the old configuration stays in force" in caplog.text)
            assert await listed(handlers) == before
            assert [server.id for server in fastpath.servers] == ids
            assert host.networks == ["10.1.0.1/32"]

    with caplog.at_level(logging.ERROR):
        asyncio.run(reload())
    assert "there is no room for listener" in caplog.text


def test_a_refused_reload_names_the_listener_and_says_why(tmp_path: Path) -> None:
    path, fastpath = tmp_path / "l7lb.yaml", Choosy()
    write(path, {"web": "10.1.0.1:80", "old": "10.1.0.2:80"}, ["10.2.0.1:80"])

    async def reload() -> None:
        async with running(path, fastpath, Nowhere()) as handlers:
            write(path, {"web": "10.1.0.1:80", "more": _REFUSED, "fine": "10.1.0.3:80"}, ["10.2.0.1:80"])
            report = Report.from_json(await handlers["reload"]({}))
            assert not report.in_force
            assert {row.name: (row.change, row.why) for row in report.listeners} == {
                "web": (Change.UNCHANGED, ""),
                "more": (Change.REFUSED, f"there is no room for listener {_REFUSED}"),
                "fine": (Change.ADDED, ""),
                "old": (Change.REMOVED, ""),
            }
            assert {str(listener.endpoint) for listener in fastpath.listeners} == {"10.1.0.1:80", "10.1.0.2:80"}

    asyncio.run(reload())


def test_a_wrong_file_is_reported_with_every_problem(tmp_path: Path) -> None:
    path = tmp_path / "l7lb.yaml"
    write(path, {"web": "10.1.0.1:80"}, ["10.2.0.1:80"])

    async def reload() -> None:
        async with running(path, Choosy(), Nowhere()) as handlers:
            write(path, {"web": "10.1.0.1"}, ["10.2.0.1"])
            report = Report.from_json(await handlers["reload"]({}))
            assert [problem.path for problem in report.problems] == [
                "listeners.web.address",
                "pools.web.servers[0].address",
            ]
            assert all(problem.file == str(path) and problem.line > 1 for problem in report.problems)
            write(path, {"web": "10.1.0.1:80"}, ["10.2.0.1:80"])
            path.write_text(f"admin: {tmp_path}/other\n{path.read_text()}")
            [problem] = Report.from_json(await handlers["reload"]({})).problems
            assert (problem.line, problem.path) == (1, "admin")

    asyncio.run(reload())


def test_drains_and_weights_reach_the_servers_that_are_named(tmp_path: Path) -> None:
    path = tmp_path / "l7lb.yaml"
    write(path, {"web": "10.1.0.1:80"}, ["10.2.0.1:80", "10.2.0.2:80"])

    async def operate() -> None:
        async with running(path, Choosy(), Nowhere()) as handlers:
            named = {"server": "10.2.0.2:80", "pool": "web"}
            [row] = ServerRow.list_from_json(await handlers["drain"](named))
            assert (row.pool, row.address, row.draining) == ("web", "10.2.0.2:80", True)
            [row] = ServerRow.list_from_json(await handlers["weight"]({"server": "10.2.0.2:80", "weight": 9}))
            assert (row.weight, row.configured_weight, row.draining) == (9, 1, True)
            [row] = ServerRow.list_from_json(await handlers["undrain"](named | {"pool": None}))
            assert not row.draining
            [row] = ServerRow.list_from_json(await handlers["weight"](named | {"weight": None}))
            assert row.weight == 1

    asyncio.run(operate())


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ({"server": "10.2.0.3:80"}, "no server 10.2.0.3:80 in any pool: did you mean '10.2.0.1:80'?"),
        ({"server": "10.2.0.1:80", "pool": "wbe"}, "no pool 'wbe': did you mean 'web'?"),
        ({}, '"server" is ADDRESS:PORT'),
        ({"server": "10.2.0.1:80", "weight": 1001}, "1001 is not a weight"),
        ({"server": "10.2.0.1:80", "weight": True}, "True is not a weight"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, arguments: dict[str, Any], refusal: str) -> None:
    path = tmp_path / "l7lb.yaml"
    write(path, {"web": "10.1.0.1:80"}, ["10.2.0.1:80"])

    async def operate() -> None:
        async with running(path, Choosy(), Nowhere()) as handlers:
            with pytest.raises(ValueError, match=re.escape(refusal)):
                await handlers["weight"]({"weight": 1} | arguments)

    asyncio.run(operate())


def test_servers_of_a_name_come_and_go_without_a_reload(tmp_path: Path) -> None:
    path, addresses = tmp_path / "l7lb.yaml", ["10.2.0.8:80"]
    write(path, {"web": "10.1.0.1:80"}, ["web.internal:80"])

    async def resolver(name: ServerName) -> list[Endpoint]:
        return list(map(Endpoint.parse, addresses))

    async def change() -> None:
        async with running(path, Choosy(), Nowhere(), resolver) as handlers:
            assert (await listed(handlers))["servers"] == ["10.2.0.8:80"]
            addresses[:] = ["10.2.0.9:80"]
            # The fast path has it earlier than the pool: for its first probe.
            async with asyncio.timeout(_DEADLINE):
                while (await listed(handlers))["servers"] != ["10.2.0.9:80"]:  # noqa: ASYNC110 - as in `until`
                    await asyncio.sleep(0.005)
            [named] = ServerRow.list_from_json(await handlers["drain"]({"server": "web.internal:80"}))
            assert named.address == "10.2.0.9:80"

    asyncio.run(change())


def test_a_reload_that_is_not_done_when_it_stops_says_so(tmp_path: Path) -> None:
    path, asked = tmp_path / "l7lb.yaml", asyncio.Event()
    write(path, {"web": "10.1.0.1:80"}, ["10.2.0.1:80"])

    async def silent(name: ServerName) -> list[Endpoint]:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def stop() -> None:
        async with running(path, Choosy(), Nowhere(), silent) as handlers:
            write(path, {"web": "10.1.0.1:80"}, ["web.internal:80"])
            reloads = [asyncio.ensure_future(handlers["reload"]({}))]
            await asked.wait()
            reloads.append(asyncio.ensure_future(handlers["reload"]({})))
            os.kill(os.getpid(), signal.SIGTERM)
            for reload in reloads:
                with pytest.raises(ValueError, match="l7lb is stopping"):
                    await reload
            with pytest.raises(ValueError, match="l7lb is stopping"):
                await handlers["reload"]({})

    asyncio.run(stop())


def test_listeners_name_the_servers_that_they_lead_to(tmp_path: Path) -> None:
    path, fastpath = tmp_path / "l7lb.yaml", Choosy()
    write(path, {"web": "10.1.0.1:80"}, ["10.2.0.1:80", "10.2.0.2:80"])

    async def start() -> None:
        async with running(path, fastpath, Nowhere()):
            [listener] = fastpath.listeners
            assert listener.servers == {server.id for server in fastpath.servers}

    asyncio.run(start())
