"""Where lines go: standard output, a file, or syslog. Every call may block: a thread of its own makes them."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from logging.handlers import SysLogHandler
from pathlib import Path
from typing import NoReturn, Protocol

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
_MODE = 0o640
_STANDARD_OUTPUT = 1


class Sink(Protocol):
    """Takes lines; what raises may work again with the next call."""

    def write(self, lines: Sequence[str]) -> None:
        """Write lines, which have no line ends; raises OSError if one or more of them are lost."""

    def reopen(self) -> None:
        """Begin a new file with the next line, if there is one: the old one was moved away."""

    def close(self) -> None:
        """Let go of what is open."""


class StandardOutput:
    """Standard output."""

    def __init__(self, descriptor: int = _STANDARD_OUTPUT) -> None:
        self._descriptor = descriptor

    def write(self, lines: Sequence[str]) -> None:
        """Write lines."""
        data = memoryview(_encoded(lines))
        while data:
            data = data[os.write(self._descriptor, data) :]

    def reopen(self) -> None:
        """Nothing: it is not ours."""

    def close(self) -> None:
        """Nothing, likewise."""


class File:
    """A file that lines are appended to. It is opened with the first of them, and anew after each failure."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._torn = False
        """Whether the file ends in the middle of a line, for want of room."""

    def write(self, lines: Sequence[str]) -> None:
        """Append lines."""
        if self._descriptor is None:
            self._descriptor = os.open(self._path, _FLAGS, _MODE)
        data = _encoded(lines)
        if self._torn:
            data = b"\n" + data
        done = 0
        try:
            while done < len(data):
                done += os.write(self._descriptor, data[done:])
        except OSError:
            if done:
                self._torn = not data[:done].endswith(b"\n")
            self.close()
            raise
        self._torn = False

    def reopen(self) -> None:
        """Close the file; the next lines open the one that has its name then."""
        self.close()
        self._torn = False

    def close(self) -> None:
        """Close the file."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


class Syslog:
    """A syslog daemon: messages of RFC 3164, facility local0, severity info; by a socket in the file system, or UDP."""

    def __init__(self, address: str | tuple[str, int]) -> None:
        """`address` is the path of a datagram socket, or a host and a UDP port."""
        self._address = address
        self._handler: _Handler | None = None

    def write(self, lines: Sequence[str]) -> None:
        """Send each line; one that is too long for a datagram is an OSError, too."""
        if self._handler is None:
            self._handler = _Handler(self._address, SysLogHandler.LOG_LOCAL0)
        failure: OSError | None = None
        for line in lines:
            try:
                self._handler.emit(logging.LogRecord("", logging.INFO, "", 0, line, (), None))
            except OSError as error:
                failure = error
        if failure is not None:
            raise failure

    def reopen(self) -> None:
        """Connect anew with the next line."""
        self.close()

    def close(self) -> None:
        """Close the socket."""
        if self._handler is not None:
            self._handler.close()
            self._handler = None


class _Handler(SysLogHandler):
    """Raises what goes wrong instead of printing it."""

    ident = "l7lb: "
    append_nul = False

    def handleError(self, record: logging.LogRecord) -> NoReturn:
        raise sys.exc_info()[1] or OSError("syslog")


def _encoded(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
