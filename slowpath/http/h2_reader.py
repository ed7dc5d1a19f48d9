"""Reads the first request of an HTTP/2 connection with prior knowledge (RFC 9113 sections 3.3 and 3.4)."""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum
from typing import NoReturn

from hpack import Decoder, HPACKError, OversizedHeaderListError
from hyperframe.exceptions import HyperframeError
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    HeadersFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
)

from slowpath.http.h2_request import Http2Request, MalformedRequest, request
from slowpath.request import Refused

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

_FRAME_HEADER_LENGTH = 9
_LONGEST_FRAME = 1 << 14  # RFC 9113 section 4.2: as long as we have not said otherwise
_IN_FLIGHT = 1 << 17
"""Bytes that may follow a request before its client has heard of our settings: its window is 65,535 (section 6.9.2)."""
_NOT_BEFORE_A_REQUEST = (ContinuationFrame, DataFrame, PushPromiseFrame, RstStreamFrame)


class ErrorCode(IntEnum):
    """Why a connection is ended (RFC 9113 section 7)."""

    NO_ERROR = 0x0
    PROTOCOL_ERROR = 0x1
    INTERNAL_ERROR = 0x2
    FRAME_SIZE_ERROR = 0x6
    COMPRESSION_ERROR = 0x9
    ENHANCE_YOUR_CALM = 0xB
    HTTP_1_1_REQUIRED = 0xD


class Http2Reader:
    """Reads from the preface to the end of the first header block, in pieces of any size."""

    def __init__(self, limit: int) -> None:
        """`limit` is the greatest length in bytes, from the preface to the request; of the fields decoded, too."""
        self._limit = limit
        self._buffer = bytearray()
        self._parsed = 0
        """Bytes of the buffer that were read as the preface and whole frames."""
        self._block: bytearray | None = None
        """The header block, as far as it has come; None before it begins."""
        self.settings: dict[int, int] | None = None
        """The client's, by identifier, once they have arrived."""
        self.stream = 0
        """The request's, once it has begun."""
        self._request: Http2Request | None = None
        """The request, once it was read whole."""
        self._greeted = False
        self._acknowledgment: slice | None = None
        """Where the client acknowledges our settings, once it has."""
        self.error: ErrorCode | None = None
        """What fits the refusal, once the stream was refused."""

    @property
    def complete(self) -> bool:
        """Whether the request was read whole."""
        return self._request is not None

    def greeting(self) -> bytes | None:
        """Settings, once, for a client that may wait for them before it says more; None if it does not.

        They are empty, which changes nothing: the server's follow. As the server knows nothing of these,
        what acknowledges them is taken out of the stream, and waited for.
        """
        if self._greeted or self.settings is None or self._block is not None or self._parsed < len(self._buffer):
            return None
        self._greeted = True
        return SettingsFrame(0).serialize()

    def feed(self, data: bytes) -> Http2Request | None:
        """Take the next bytes; None as long as there is no whole request.

        Bytes behind the request are ignored. Raises Refused for a malformed stream (400), and for one
        that has no request within the limit (431). Once it has returned a request or raised, the reader is spent.
        """
        self._buffer += data
        if not self._parsed:
            self._skip_preface()
        while (frame := self._next_frame()) is not None:
            self._take(frame)
            if self._request is not None and self._greeted is (self._acknowledgment is not None):
                return self._delivered(self._request)
        if len(self._buffer) >= self._room:
            self._refuse_length()
        return None

    @property
    def _room(self) -> int:
        return self._limit if self._request is None else self._limit + _IN_FLIGHT

    def _skip_preface(self) -> None:
        if self._buffer.startswith(PREFACE):
            self._parsed = len(PREFACE)
        elif not PREFACE.startswith(self._buffer):
            self._refuse(400, ErrorCode.PROTOCOL_ERROR, "the connection preface is malformed")

    def _next_frame(self) -> Frame | None:
        """The next frame, if it is whole."""
        start = self._parsed + _FRAME_HEADER_LENGTH
        if not self._parsed or len(self._buffer) < start:
            return None
        try:
            frame, length = Frame.parse_frame_header(memoryview(bytes(self._buffer[self._parsed : start])))
            if length > _LONGEST_FRAME:
                self._refuse(400, ErrorCode.FRAME_SIZE_ERROR, f"a frame of {length} bytes")
            if start + length > self._room:
                self._refuse_length()
            if len(self._buffer) < start + length:
                return None
            frame.parse_body(memoryview(bytes(self._buffer[start : start + length])))
        except HyperframeError as error:
            self._refuse(400, ErrorCode.PROTOCOL_ERROR, f"a malformed frame: {error}")
        if isinstance(frame, SettingsFrame) and "ACK" in frame.flags and self._greeted and not self._acknowledgment:
            self._acknowledgment = slice(self._parsed, start + length)
        self._parsed = start + length
        return frame

    def _take(self, frame: Frame) -> None:
        """Process a frame; the request may end here."""
        if self._request is not None:
            return
        if self.settings is None:
            if not isinstance(frame, SettingsFrame) or "ACK" in frame.flags:
                self._refuse(400, ErrorCode.PROTOCOL_ERROR, "the first frame is not SETTINGS")
            self.settings = dict(frame.settings)
            return
        if self._block is not None:
            if not isinstance(frame, ContinuationFrame) or frame.stream_id != self.stream:
                self._refuse(400, ErrorCode.PROTOCOL_ERROR, "a header block is interrupted")
            self._block += frame.data
        elif isinstance(frame, HeadersFrame):
            if frame.stream_id % 2 == 0:
                self._refuse(400, ErrorCode.PROTOCOL_ERROR, "a request on a stream of the server's")
            self.stream, self._block = frame.stream_id, bytearray(frame.data)
        elif isinstance(frame, _NOT_BEFORE_A_REQUEST):
            self._refuse(400, ErrorCode.PROTOCOL_ERROR, f"{type(frame).__name__} before a request")
        else:
            if isinstance(frame, SettingsFrame):
                self.settings |= frame.settings
            return
        if "END_HEADERS" in frame.flags:
            self._request = self._decode(bytes(self._block))

    def _decode(self, block: bytes) -> Http2Request:
        try:
            fields = Decoder(self._limit).decode(block, raw=True)
            made = request([(_text(name), _text(value)) for name, value in fields], self._parsed)
        except OversizedHeaderListError as error:
            self._refuse(431, ErrorCode.ENHANCE_YOUR_CALM, str(error))
        except HPACKError as error:
            self._refuse(400, ErrorCode.COMPRESSION_ERROR, f"a malformed header block: {error}")
        except MalformedRequest as error:
            self._refuse(400, ErrorCode.PROTOCOL_ERROR, str(error))
        except Refused:
            self.error = ErrorCode.PROTOCOL_ERROR
            raise
        return made

    def _delivered(self, read: Http2Request) -> Http2Request:
        """The request with all that was read by now."""
        if self._acknowledgment is None:
            return read
        stream = bytes(self._buffer[: self._parsed])
        edited = stream[: self._acknowledgment.start] + stream[self._acknowledgment.stop :]
        return replace(read, length=self._parsed, edited=edited)

    def _refuse_length(self) -> NoReturn:
        self._refuse(431, ErrorCode.ENHANCE_YOUR_CALM, f"no request within {self._limit} bytes")

    def _refuse(self, status: int, error: ErrorCode, why: str) -> NoReturn:
        self.error = error
        raise Refused(status, why)


def _text(value: bytes | str) -> str:
    """Fields of a head are text that may hold anything, as `RequestHead` has it."""
    return value if isinstance(value, str) else value.decode(errors="replace")
