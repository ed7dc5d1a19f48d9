"""How many of several HTTP/1.x responses in a row are whole (RFC 9112 section 6.3)."""

from __future__ import annotations

from collections.abc import Sequence

from httptools import HttpParserError, HttpResponseParser

_FINAL = 200


class Responses:
    """Follows the responses to requests with `methods`, in their order, through a byte stream."""

    def __init__(self, methods: Sequence[str]) -> None:
        self._left = list(methods)
        self._parser = HttpResponseParser(self)
        self._ended = False
        self.malformed = False
        """Whether the stream was found to be none of responses."""

    @property
    def complete(self) -> bool:
        """Whether every request has its response, or no more can be told of a stream that is malformed."""
        return not self._left

    def feed(self, data: bytes) -> bool:
        """Take the next bytes; returns `complete`."""
        # The parser does not know what HEAD is. Byte by byte, it can be left where such a response ends.
        step = 1 if "HEAD" in self._left else max(len(data), 1)
        for start in range(0, len(data), step):
            if not self._left:
                break
            try:
                self._parser.feed_data(data[start : start + step])
            except HttpParserError:
                self.malformed = True
                self._left.clear()
            if self._ended:
                self._parser, self._ended = HttpResponseParser(self), False
        return self.complete

    # What the parser finds

    def on_headers_complete(self) -> None:
        """A head has ended; that of a response to HEAD is all of it."""
        if self._parser.get_status_code() >= _FINAL and self._left[:1] == ["HEAD"]:
            del self._left[0]
            self._ended = True

    def on_message_complete(self) -> None:
        """A response has ended; interim ones do not count (RFC 9110 section 15.2)."""
        if not self._ended and self._parser.get_status_code() >= _FINAL:
            del self._left[:1]
