"""The presentation language of TLS: numbers and vectors of variable length, in network byte order (RFC 8446 section 3).

Whatever does not fit raises Malformed.
"""

from __future__ import annotations


class Malformed(ValueError):
    """A field is out of range or its length is wrong; the text says which."""


class Fields:
    """Takes fields from the front of `data`; `what` names the structure in messages."""

    __slots__ = ("_at", "_data", "_what")

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._at = 0
        self._what = what

    def __bool__(self) -> bool:
        """Whether there is something left."""
        return self._at < len(self._data)

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        field = self._data[self._at : self._at + length]
        if len(field) < length:
            raise Malformed(f"{self._what} ends within a field")
        self._at += length
        return field

    def number(self, size: int) -> int:
        """The next number of `size` bytes."""
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int, least: int, most: int) -> bytes:
        """The content of the next vector: a length of `size` bytes, `least` to `most`, and as many bytes."""
        length = self.number(size)
        if not least <= length <= most:
            raise Malformed(f"{self._what} has a vector of {length} bytes where {least} to {most} are right")
        return self.take(length)

    def end(self) -> None:
        """Nothing may be left."""
        if self:
            raise Malformed(f"{self._what} is followed by {len(self._data) - self._at} bytes")
