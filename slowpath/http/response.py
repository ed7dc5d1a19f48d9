"""An HTTP/1.x response, as far as a health check reads it: its status and the start of its body (RFC 9112)."""

from __future__ import annotations

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

LIMIT = 16384
"""Bytes in which a response head must end, interim responses before it included."""


class MalformedResponse(ValueError):
    """The bytes are not an HTTP/1.x response; the text says why."""


class _FinalResponse:
    """Notes the first response that is not interim."""

    def __init__(self, body_limit: int) -> None:
        self.parser = HttpResponseParser(self)
        self.status: int | None = None
        self.body = bytearray()
        self.complete = False
        self._body_limit = body_limit

    def on_headers_complete(self) -> None:
        status = self.parser.get_status_code()
        # RFC 9110 section 15.2: 1xx are interim, but nothing in HTTP follows a 101.
        if self.status is None and (status >= 200 or status == 101):
            self.status = status
            self.complete = self._body_limit == 0

    def on_body(self, part: bytes) -> None:
        if self.status is not None and not self.complete:
            self.body += part[: self._body_limit - len(self.body)]
            self.complete = len(self.body) == self._body_limit

    def on_message_complete(self) -> None:
        self.complete = self.status is not None


class ResponseReader:
    """Reads one response from a byte stream, in pieces of any size, with `body_limit` bytes of its body at most."""

    def __init__(self, body_limit: int = 0) -> None:
        self._final = _FinalResponse(body_limit)
        self._seen = 0

    @property
    def status(self) -> int | None:
        """The status code (101, 200..999) once the head is complete; interim responses (1xx) are skipped."""
        return self._final.status

    @property
    def body(self) -> bytes:
        """What is there of the body, without its framing."""
        return bytes(self._final.body)

    @property
    def complete(self) -> bool:
        """Whether all that is to be read is there; a body without a length lasts until the stream ends."""
        return self._final.complete

    def feed(self, data: bytes) -> int | None:
        """Take the next bytes; returns `status`. Raises MalformedResponse."""
        while data and not self.complete:
            in_head = self.status is None
            part = data[: LIMIT - self._seen] if in_head else data
            data = data[len(part) :]
            self._seen += len(part) if in_head else 0
            malformed = self._parse(part)
            if malformed is None and self.status is None and self._seen == LIMIT:
                malformed = f"the response head is longer than {LIMIT} bytes"
            if malformed is not None and not self.complete:
                raise MalformedResponse(malformed)
        return self.status

    def _parse(self, part: bytes) -> str | None:
        """What is wrong, or None."""
        try:
            self._final.parser.feed_data(part)
        except HttpParserUpgrade:
            self._final.complete = True  # a 101: the head was complete
        except HttpParserError as error:
            return str(error)
        return None
