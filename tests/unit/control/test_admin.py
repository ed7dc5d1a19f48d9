"""The admin socket: who may listen, what is answered, and that nothing a client sends ends it."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowpath.control.admin import MAX_REQUEST, AdminError, AdminServer, request


async def echo(arguments: dict[str, Any]) -> object:
    return arguments


async def picky(arguments: dict[str, Any]) -> object:
    raise ValueError("no server 10.2.0.9:80")


async def broken(arguments: dict[str, Any]) -> object:
    raise RuntimeError("inner detail")


@asynccontextmanager
async def serving(path: Path) -> AsyncIterator[AdminServer]:
    server = AdminServer(path, {"echo": echo, "picky": picky, "broken": broken})
    await server.start()
    try:
        yield server
    finally:
        await server.close()


async def ask(path: Path, command: str, **arguments: object) -> object:
    return await asyncio.to_thread(request, path, command, arguments)


async def exchange(path: Path, *lines: bytes) -> list[Any]:
    """Send raw lines over one connection; returns a reply for each."""
    reader, writer = await asyncio.open_unix_connection(path)
    replies = []
    for line in lines:
        writer.write(line + b"\n")
        replies.append(json.loads(await reader.readline()))
    writer.close()
    return replies


def test_a_request_is_answered(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "admin"):
            assert await ask(tmp_path / "admin", "echo", a=1, b=["x"]) == {"a": 1, "b": ["x"]}

    asyncio.run(scenario())


def test_only_the_owner_may_use_it_and_it_goes_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "admin"

    async def scenario() -> None:
        async with serving(path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not path.exists()

    asyncio.run(scenario())


def test_closing_ends_idle_sessions(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "admin"):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "admin")
            writer.write(b'{"command": "echo"}\n')
            await reader.readline()
        assert await reader.read() == b""
        writer.close()

    asyncio.run(scenario())


def test_refusals_reach_the_client(tmp_path: Path) -> None:
    async def scenario() -> None:
        path = tmp_path / "admin"
        async with serving(path):
            with pytest.raises(AdminError, match=r"no server 10\.2\.0\.9:80"):
                await ask(path, "picky")
            with pytest.raises(AdminError, match="unknown command 'eco': known are broken, echo, picky"):
                await ask(path, "eco")
            with pytest.raises(AdminError, match="broken failed inside l7lb: see its log") as raised:
                await ask(path, "broken")
            assert "inner detail" not in str(raised.value)
            assert await ask(path, "echo") == {}

    asyncio.run(scenario())


@given(st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line), max_size=5))
def test_malformed_requests_are_refused_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    path = tmp_path_factory.getbasetemp() / "admin-any"

    async def scenario() -> None:
        async with serving(path):
            *refused, answered = await exchange(path, *lines, b'{"command": "echo", "a": 1}')
            assert all(reply["ok"] is False and "request is not" in reply["error"] for reply in refused)
            assert answered == {"ok": True, "result": {"a": 1}}

    asyncio.run(scenario())


@pytest.mark.parametrize("line", [b"[" * 5000, b'{"command": 5}', b"[]", b"\xff", b""])
def test_a_malformed_request_says_so(tmp_path: Path, line: bytes) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "admin"):
            [reply] = await exchange(tmp_path / "admin", line)
            assert reply["ok"] is False
            assert "request is not" in reply["error"]

    asyncio.run(scenario())


def test_an_endless_request_is_cut_off(tmp_path: Path) -> None:
    async def scenario() -> None:
        path = tmp_path / "admin"
        async with serving(path):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"x" * (2 * MAX_REQUEST))
            assert f"longer than {MAX_REQUEST} bytes" in json.loads(await reader.readline())["error"]
            assert await reader.read() == b""
            writer.close()
            assert await ask(path, "echo") == {}

    asyncio.run(scenario())


def test_a_live_socket_is_not_taken(tmp_path: Path) -> None:
    async def scenario() -> None:
        path = tmp_path / "admin"
        async with serving(path):
            with pytest.raises(AdminError, match="another l7lb is running here"):
                await AdminServer(path, {}).start()
            assert await ask(path, "echo") == {}

    asyncio.run(scenario())


def test_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "admin"
    left_behind = socket.socket(socket.AF_UNIX)
    left_behind.bind(str(path))
    left_behind.close()

    async def scenario() -> None:
        async with serving(path):
            assert await ask(path, "echo") == {}

    asyncio.run(scenario())


def test_a_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "admin"
    path.write_text("precious")
    with pytest.raises(AdminError, match="something that is not a socket"):
        asyncio.run(AdminServer(path, {}).start())
    assert path.read_text() == "precious"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AdminError, match="cannot listen there: No such file or directory"):
        asyncio.run(AdminServer(tmp_path / "none" / "admin", {}).start())


def test_the_client_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(AdminError, match="no such socket: is l7lb running"):
        request(tmp_path / "none", "status")
    stale = tmp_path / "stale"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(stale))
    with pytest.raises(AdminError, match="nobody listens"):
        request(stale, "status")
