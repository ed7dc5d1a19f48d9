"""How the beginning of a connection is read, and how its client is refused, in each application protocol."""

from __future__ import annotations

from typing import Protocol

from slowpath.http.answers import Answer
from slowpath.http.h2_answer import go_away, respond
from slowpath.http.h2_reader import PREFACE, ErrorCode, Http2Reader
from slowpath.http.head import HeadReader
from slowpath.http.known_heads import KnownHeads
from slowpath.request import Nothing, Refused, Request
from slowpath.tls.alerts import Alert, fatal
from slowpath.tls.reader import ClientHelloReader


class Opening(Protocol):
    """Reads the beginning of a client's stream until it is known what is asked for."""

    def feed(self, data: bytes) -> Request | None:
        """Take the next bytes; None as long as more are needed. Raises Refused."""

    def greeting(self) -> bytes | None:
        """What lets a client go on that waits for the server's first word by now; None if it does not."""

    def refusal(self, answer: Answer, *, head_only: bool) -> bytes | None:
        """What a client is told that gets `answer` and no server; None for a reset. `head_only`: it asked by HEAD."""


class HttpOpening:
    """A request of HTTP/1.x; or, by the preface, the first one of HTTP/2 (RFC 9113 section 3.3)."""

    __slots__ = ("_begins", "_heads", "_http2", "_limit", "_reader", "_takes_http2")

    def __init__(self, heads: KnownHeads, limit: int, *, first: bool, http2: bool) -> None:
        """`heads` are those of HTTP/1.x. A connection may turn out to be HTTP/2 at its `first` request.

        `limit` is what it may take up to its first request then, in bytes; without `http2` it is refused.
        """
        self._heads = heads
        self._reader: HeadReader | None = None
        self._limit = limit
        self._takes_http2 = http2
        self._begins: bytes | None = b"" if first else None
        """What has come, as long as it may be either."""
        self._http2: Http2Reader | None = None

    def feed(self, data: bytes) -> Request | None:
        """Take the next bytes."""
        if self._begins is not None:
            data = self._begins + data
            if len(data) < len(_TELLING) and PREFACE.startswith(data):
                self._begins = data
                return None
            self._begins = None
            if data.startswith(_TELLING):
                self._http2 = Http2Reader(self._limit)
                if not self._takes_http2:
                    self._http2.error = ErrorCode.HTTP_1_1_REQUIRED
                    raise Refused(505, "HTTP/2, where every request has to be read")
        return self._read_head(data) if self._http2 is None else self._http2.feed(data)

    def _read_head(self, data: bytes) -> Request | None:
        if self._reader is not None:
            return self._reader.feed(data)
        head = self._heads.get(data)
        if head is None:
            self._reader = self._heads.reader()
            head = self._reader.feed(data)
            if head is not None:
                self._heads.note(data, head)
        return head

    def greeting(self) -> bytes | None:
        """With HTTP/2 only, where a client may wait for the server's settings before its first request."""
        return None if self._http2 is None else self._http2.greeting()

    def refusal(self, answer: Answer, *, head_only: bool) -> bytes:
        """A response; in HTTP/2, without a request to respond to, GOAWAY."""
        reader = self._http2
        if reader is None:
            return answer.encoded(head_only=head_only)
        if reader.complete and reader.settings is not None:
            return respond(answer, reader.stream, reader.settings, head_only=head_only)
        if reader.error is None:
            return go_away(ErrorCode.INTERNAL_ERROR if answer.status >= 500 else ErrorCode.NO_ERROR)
        return go_away(reader.error)


_TELLING = PREFACE[:4]
"""No method of HTTP/1.x is called PRI (RFC 9113 section 11.6)."""


class TlsOpening:
    """A ClientHello."""

    __slots__ = ("_reader",)

    def __init__(self, limit: int) -> None:
        """`limit` is its greatest length in bytes."""
        self._reader = ClientHelloReader(limit)

    def feed(self, data: bytes) -> Request | None:
        """Take the next bytes."""
        return self._reader.feed(data)

    def greeting(self) -> None:
        """The client has the first word."""

    def refusal(self, answer: Answer, *, head_only: bool) -> bytes:
        """A fatal alert."""
        return fatal(self._alert(answer.status))

    def _alert(self, status: int) -> Alert:
        reader = self._reader
        if reader.alert is not None:
            return reader.alert
        if status == 404 and reader.hello is not None:
            return Alert.UNRECOGNIZED_NAME if reader.hello.host else Alert.MISSING_EXTENSION
        if reader.hello is None and status == 400:
            return Alert.DECODE_ERROR  # It ended within the message.
        return Alert.INTERNAL_ERROR if status >= 500 else Alert.HANDSHAKE_FAILURE


class TcpOpening:
    """Nothing is read."""

    __slots__ = ()

    def feed(self, data: bytes) -> Request:
        """There is nothing to wait for."""
        return _NOTHING

    def greeting(self) -> None:
        """There is nothing to wait for."""

    def refusal(self, answer: Answer, *, head_only: bool) -> None:
        """A reset: who knows what the client would understand."""


_NOTHING = Nothing()
