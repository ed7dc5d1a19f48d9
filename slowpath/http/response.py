"""The status of an HTTP/1.x response, as far as a health check reads it (RFC 9112 section 4)."""

from __future__ import annotations

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

LIMIT = 16384
"""Bytes in which a response head must end, interim responses before it included."""


class MalformedResponse(ValueError):
    """The bytes are not the head of an HTTP/1.x response; the text says why."""


class _FinalStatus:
    """Notes the first status that is not interim."""

    def __init__(self) -> None:
        self.parser = HttpResponseParser(self)
        self.status: int | None = None

    def on_headers_complete(self) -> None:
        status = self.parser.get_status_code()
        # RFC 9110 section 15.2: 1xx are interim, but nothing in HTTP follows a 101.
        if self.status is None and (status >= 200 or status == 101):
            self.status = status


class ResponseReader:
    """Reads one response head from a byte stream, in pieces of any size."""

    def __init__(self) -> None:
        self._final = _FinalStatus()
        self._seen = 0

    def feed(self, data: bytes) -> int | None:
        """Take the next bytes: the status code (101, 200..999), or None as long as the head is incomplete.

        Interim responses (1xx) are skipped, the body is ignored. Raises MalformedResponse.
        """
        part = data[: LIMIT - self._seen]
        self._seen += len(part)
        malformed = None
        try:
            self._final.parser.feed_data(part)
        except HttpParserUpgrade:
            pass  # a 101: the head was complete
        except HttpParserError as error:
            malformed = str(error)
        if self._final.status is not None:
            return self._final.status
        if malformed is None and self._seen == LIMIT:
            malformed = f"the response head is longer than {LIMIT} bytes"
        if malformed is not None:
            raise MalformedResponse(malformed)
        return None
