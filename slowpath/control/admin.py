"""The admin socket: one JSON object per line each way, over a Unix socket that only its owner may use.

A request is `{"command": NAME, ...arguments}`; the reply is `{"ok": true, "result": ...}` or
`{"ok": false, "error": TEXT}`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

MAX_REQUEST = 65536
"""Bytes of one request line."""

ANSWER_TIMEOUT = 5.0
"""Seconds that a request waits for its answer."""

Handler = Callable[[dict[str, Any]], Awaitable[object]]
"""Answers a request's arguments with plain values; raises ValueError for arguments that it cannot use."""

_log = logging.getLogger(__name__)


class AdminError(Exception):
    """The socket cannot be served or asked, or the request was refused."""


class AdminServer:
    """Answers requests; `start` once, `close` once.

    To `start` is to claim the path, so it comes before anything that a second instance would disturb;
    `handlers` may be filled later.
    """

    def __init__(self, path: Path, handlers: Mapping[str, Handler]) -> None:
        self._path = path
        self._handlers = handlers
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; raises AdminError if another instance does, or the path cannot be used."""
        listening = _bind(self._path)
        self._server = await asyncio.start_unix_server(self._accept, sock=listening, limit=MAX_REQUEST)

    async def close(self) -> None:
        """Stop listening, end open sessions and remove the socket."""
        if self._server is None:
            return
        self._server.close()
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)
        await self._server.wait_closed()
        self._path.unlink(missing_ok=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = asyncio.current_task()
        assert session is not None
        self._sessions.add(session)
        try:
            await self._serve(reader, writer)
        except ConnectionError:
            pass  # the client has gone, and with it whoever would care
        finally:
            self._sessions.discard(session)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                line = await reader.readline()
            except ValueError:
                writer.write(_line(_refusal(f"the request is longer than {MAX_REQUEST} bytes")))
                await writer.drain()
                return
            if not line:
                return
            writer.write(_line(await self._reply(line)))
            await writer.drain()

    async def _reply(self, line: bytes) -> dict[str, object]:
        try:
            request = json.loads(line)
        except (ValueError, RecursionError):
            return _refusal("the request is not JSON")
        if not isinstance(request, dict) or not isinstance(request.get("command"), str):
            return _refusal('the request is not an object with a "command"')
        command = request.pop("command")
        handler = self._handlers.get(command)
        if handler is None and not self._handlers:
            return _refusal("l7lb is still starting: ask again")
        if handler is None:
            return _refusal(f"unknown command {command!r}: known are {', '.join(sorted(self._handlers))}")
        try:
            return {"ok": True, "result": await handler(request)}
        except ValueError as error:
            return _refusal(str(error))
        except Exception:
            _log.exception("admin command %r failed", command)
            return _refusal(f"{command} failed inside l7lb: see its log")


def request(
    path: Path, command: str, arguments: Mapping[str, object] | None = None, *, timeout: float = ANSWER_TIMEOUT
) -> object:
    """Ask the instance that listens at `path`, and return its result within `timeout` seconds; raises AdminError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(timeout)
        try:
            client.connect(str(path))
            client.sendall(_line({"command": command} | dict(arguments or {})))
            with client.makefile("rb") as replies:
                reply: object = json.loads(replies.readline())
        except FileNotFoundError:
            raise AdminError(f"{path}: no such socket: is l7lb running with this admin path?") from None
        except ConnectionRefusedError:
            raise AdminError(f"{path}: nobody listens: l7lb was stopped or killed, start it again") from None
        except PermissionError:
            raise AdminError(f"{path}: permission denied: use the account that l7lb runs as") from None
        except TimeoutError:
            raise AdminError(f"{path}: no answer within {timeout:.0f} s: see the log of l7lb") from None
        except (OSError, ValueError) as error:
            raise AdminError(f"{path}: {error}") from None
    if not isinstance(reply, dict) or not ("result" in reply or "error" in reply):
        raise AdminError(f"{path}: whoever listens there is not l7lb")
    if "error" in reply:
        raise AdminError(str(reply["error"]))
    result: object = reply["result"]
    return result


def _bind(path: Path) -> socket.socket:
    """A listening-to-be socket at `path`, in place of one that nobody serves any more."""
    if path.is_socket():
        if _is_served(path):
            raise AdminError(f"{path}: another l7lb is running here: stop it, or give this one another admin path")
        path.unlink()
    elif path.exists():
        raise AdminError(f"{path}: there is something that is not a socket: remove it, or choose another admin path")
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bound.bind(str(path))
        # Nobody can connect before listen(), so there is no moment in which others could.
        path.chmod(0o600)
    except OSError as error:
        bound.close()
        raise AdminError(f"{path}: cannot listen there: {error.strerror}") from None
    bound.setblocking(False)
    return bound


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return False
    return True


def _refusal(error: str) -> dict[str, object]:
    return {"ok": False, "error": error}


def _line(value: dict[str, object]) -> bytes:
    return json.dumps(value).encode() + b"\n"
