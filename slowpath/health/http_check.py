"""A check that asks for something over HTTP/1.1 and looks at the response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from slowpath.health.exchange import CheckFailed
from slowpath.http.response import MalformedResponse, ResponseReader

BODY_LIMIT = 65536
"""Bytes of a body that are looked at."""

SUCCESS = (range(200, 400),)
"""The statuses that are well unless others are named: 2xx and 3xx."""


class Pattern(Protocol):
    """What is asked of a text; those of `slowpath.routing.matchers` are."""

    def matches(self, text: str) -> bool:
        """Whether `text` has what is asked for."""


@dataclass(frozen=True, slots=True)
class Contains:
    """The text has `value` somewhere."""

    value: str

    def matches(self, text: str) -> bool:
        """Whether the value is in `text`."""
        return self.value in text


@dataclass(frozen=True, slots=True)
class HttpCheck:
    """A request, and the responses to it that are well.

    `host` is the Host field, None for the server's own address; `headers` are further fields, of
    which Connection and User-Agent replace ours. `body` is asked of the first BODY_LIMIT bytes of
    the response's body, read as UTF-8, and asks nothing if it is None.
    """

    path: str
    method: str = "GET"
    host: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    statuses: Sequence[range] = SUCCESS
    body: Pattern | None = None

    def request(self, server: str) -> bytes:
        """The request to `server`, which is ADDRESS:PORT."""
        fields = {"host": ("Host", self.host or server), "user-agent": ("User-Agent", "l7lb")}
        fields["connection"] = ("Connection", "close")
        fields |= {name.lower(): (name, value) for name, value in self.headers}
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.values())]
        return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


class HttpExchange:
    """An Exchange of a request and its response."""

    def __init__(self, check: HttpCheck, server: str) -> None:
        self._check = check
        self._server = server
        self._reader = ResponseReader(BODY_LIMIT if check.body is not None else 0)
        self.done = False

    def start(self) -> bytes:
        """See Exchange."""
        return self._check.request(self._server)

    def receive(self, data: bytes) -> bytes:
        """See Exchange."""
        try:
            status = self._reader.feed(data)
        except MalformedResponse as error:
            raise CheckFailed("malformed", str(error)) from None
        if status is not None and not any(status in wanted for wanted in self._check.statuses):
            raise CheckFailed("status", f"status {status}")
        if self._reader.complete:
            self._judge_body()
        return b""

    def ended(self) -> None:
        """See Exchange."""
        if self._reader.status is None:
            raise CheckFailed("closed", "closed without a response")
        self._judge_body()

    def _judge_body(self) -> None:
        wanted = self._check.body
        if wanted is not None and not wanted.matches(self._reader.body.decode(errors="replace")):
            raise CheckFailed("body", f"the body does not match, in {len(self._reader.body)} bytes")
        self.done = True
