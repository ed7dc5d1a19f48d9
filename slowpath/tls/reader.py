"""Reads a ClientHello from a byte stream: records to a handshake message (RFC 8446 sections 4 and 5.1)."""

from __future__ import annotations

import struct
from typing import NoReturn

from slowpath.request import Refused
from slowpath.tls.alerts import Alert
from slowpath.tls.client_hello import ClientHello, parse
from slowpath.tls.vectors import Malformed

_RECORD_HEADER = struct.Struct("!BBBH")
"""Content type, legacy version (major, minor), length of the fragment."""
_HANDSHAKE = 22
_MAJOR_VERSION = 3
_LONGEST_FRAGMENT = 1 << 14

_MESSAGE_HEADER_LENGTH = 4
_CLIENT_HELLO = 1


class ClientHelloReader:
    """Reads the ClientHello that a stream begins with, in pieces of any size and any number of records."""

    def __init__(self, limit: int) -> None:
        """`limit` is the greatest length in bytes, the headers of records included."""
        self._limit = limit
        self._buffer = bytearray()
        self._parsed = 0
        """Bytes of the buffer whose records are in the message."""
        self._message = bytearray()
        self.hello: ClientHello | None = None
        """What was read, once it is complete."""
        self.alert: Alert | None = None
        """What fits the refusal, once the stream was refused."""

    def feed(self, data: bytes) -> ClientHello | None:
        """Take the next bytes; None as long as the message is incomplete.

        Bytes behind the message are ignored. Raises Refused at the first byte that shows the stream to
        be no TLS or malformed (400), of a version before SSL 3.0 (505), or a longer message than the
        limit allows (431). Once it has returned a message or raised, the reader is spent.
        """
        buffer = self._buffer
        buffer += data
        while (fragment := self._next_fragment()) is not None:
            self._message += fragment
            self.hello = self._complete()
            if self.hello is not None:
                return self.hello
        if len(buffer) >= self._limit:
            self._refuse_length()
        return None

    def _next_fragment(self) -> bytes | None:
        """The content of the next record, if it is whole."""
        buffer, start = self._buffer, self._parsed
        if start < len(buffer) and buffer[start] != _HANDSHAKE:
            self._refuse_content()
        if len(buffer) < start + _RECORD_HEADER.size:
            return None
        _, major, _, length = _RECORD_HEADER.unpack_from(buffer, start)
        if major != _MAJOR_VERSION:
            self._refuse(505, Alert.PROTOCOL_VERSION, f"a record of version {major}")
        if not 0 < length <= _LONGEST_FRAGMENT:
            self._refuse(400, Alert.DECODE_ERROR, f"a record of {length} bytes")
        start += _RECORD_HEADER.size
        if start + length > self._limit:
            self._refuse_length()
        if len(buffer) < start + length:
            return None
        self._parsed = start + length
        return bytes(buffer[start : self._parsed])

    def _complete(self) -> ClientHello | None:
        """The message, if it is whole."""
        message = self._message
        if message[0] != _CLIENT_HELLO:
            self._refuse(400, Alert.UNEXPECTED_MESSAGE, f"a handshake message of type {message[0]}")
        if len(message) < _MESSAGE_HEADER_LENGTH:
            return None
        end = _MESSAGE_HEADER_LENGTH + int.from_bytes(message[1:_MESSAGE_HEADER_LENGTH], "big")
        if end > self._limit:
            self._refuse_length()
        if len(message) < end:
            return None
        try:
            return parse(bytes(message[_MESSAGE_HEADER_LENGTH:end]), self._parsed)
        except Malformed as error:
            self._refuse(400, Alert.DECODE_ERROR, str(error))

    def _refuse_content(self) -> NoReturn:
        """Refuse a record that is not of the handshake."""
        buffer = self._buffer
        # SSL 2.0 and clients that tried it first: the length's top bit, and the message type in the third byte.
        if not self._parsed and buffer[0] & 0x80 and buffer[2:3] in (b"", bytes([_CLIENT_HELLO])):
            self._refuse(505, Alert.PROTOCOL_VERSION, "a ClientHello of SSL 2.0")
        self._refuse(400, Alert.UNEXPECTED_MESSAGE, "not a TLS handshake")

    def _refuse_length(self) -> NoReturn:
        self._refuse(431, Alert.DECODE_ERROR, f"the ClientHello takes more than {self._limit} bytes")

    def _refuse(self, status: int, alert: Alert, why: str) -> NoReturn:
        self.alert = alert
        raise Refused(status, why)
