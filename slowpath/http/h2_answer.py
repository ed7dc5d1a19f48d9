"""The balancer's own answers in HTTP/2: one response, or none, and the end of the connection (RFC 9113)."""

from __future__ import annotations

from collections.abc import Mapping

from hpack import Encoder
from hyperframe.frame import DataFrame, Frame, GoAwayFrame, HeadersFrame, SettingsFrame

from slowpath.http.answers import BODILESS, Answer
from slowpath.http.h2_reader import ErrorCode

_TABLE_SIZE = 4096  # RFC 7541: without a setting
_WINDOW = 65535  # RFC 9113 section 6.5.2, likewise
_FRAME_SIZE = 1 << 14


def respond(answer: Answer, stream: int, settings: Mapping[int, int], *, head_only: bool = False) -> bytes:
    """`answer` on `stream` of a client with these `settings`, then GOAWAY.

    A body that the client's window has no room for is left out: nothing would read the window's updates.
    """
    window = settings.get(SettingsFrame.INITIAL_WINDOW_SIZE, _WINDOW)
    body = b"" if head_only else answer.body
    fields = [(":status", str(answer.status)), *((name.lower(), value) for name, value in answer.fields)]
    if len(body) > window:
        body = b""
    elif answer.status not in BODILESS:
        fields.append(("content-length", str(len(answer.body))))
    encoder = Encoder()
    encoder.header_table_size = min(settings.get(SettingsFrame.HEADER_TABLE_SIZE, _TABLE_SIZE), _TABLE_SIZE)
    headers = HeadersFrame(stream, encoder.encode(fields), flags=["END_HEADERS"])
    frames: list[Frame] = [headers]
    frames += [DataFrame(stream, body[start : start + _FRAME_SIZE]) for start in range(0, len(body), _FRAME_SIZE)]
    frames[-1].flags.add("END_STREAM")
    frames.append(GoAwayFrame(0, last_stream_id=stream, error_code=ErrorCode.NO_ERROR))
    return _encoded(SettingsFrame(0), SettingsFrame(0, flags=["ACK"]), *frames)


def go_away(error: ErrorCode) -> bytes:
    """The end of a connection without any response."""
    return _encoded(SettingsFrame(0), GoAwayFrame(0, last_stream_id=0, error_code=error))


def _encoded(*frames: Frame) -> bytes:
    """Frames behind one another; SETTINGS come first (RFC 9113 section 3.4)."""
    return b"".join(frame.serialize() for frame in frames)
