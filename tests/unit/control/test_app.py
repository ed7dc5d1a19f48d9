"""The application on a fast path that refuses: what ends it, and what does not."""

from __future__ import annotations

import asyncio
import logging
import os
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
from slowpath.control.config import load
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
        "pools": {"web": {"health": _CHECKS, "servers": servers}},
        "timeouts": {"drain": "100ms"},
    }
    path.write_text(yaml.safe_dump(document))


@asynccontextmanager
async def running(path: Path, fastpath: Choosy, host: Nowhere) -> AsyncIterator[dict[str, Handler]]:
    """The application, ready, with its answers to admin commands; stopped by SIGTERM."""
    handlers: dict[str, Handler] = {}
    async with AsyncExitStack() as stack:
        app = Application(path, load(path), fastpath, host, handlers)
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


def test_listeners_name_the_servers_that_they_lead_to(tmp_path: Path) -> None:
    path, fastpath = tmp_path / "l7lb.yaml", Choosy()
    write(path, {"web": "10.1.0.1:80"}, ["10.2.0.1:80", "10.2.0.2:80"])

    async def start() -> None:
        async with running(path, fastpath, Nowhere()):
            [listener] = fastpath.listeners
            assert listener.servers == {server.id for server in fastpath.servers}

    asyncio.run(start())
