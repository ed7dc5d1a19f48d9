"""Sorts what a server sends on its stream into the streams of those who asked for it."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from rpc.errors import ProtocolError
from rpc.stream import Stream

_log = logging.getLogger(__name__)

_Message = TypeVar("_Message")
_Data = TypeVar("_Data")
_Idle = TypeVar("_Idle")
_T = TypeVar("_T")


class Notifications(ABC, Generic[_Message, _Data, _Idle]):
    """The streams of a session. What nobody asked for yet, or cannot be understood, counts as `lost`."""

    def __init__(self, decoders: dict[int, Callable[[_Data], tuple[int, ...]]]) -> None:
        """`decoders` give the members of a digest, by its id."""
        self.lost = 0
        self._decoders = decoders
        self._digests: dict[int, list[Stream[tuple[int, ...]]]] = {}
        self._idle: list[Stream[_Idle]] = []

    def digests(self, digest_id: int) -> Stream[tuple[int, ...]]:
        """A new stream of that digest."""
        stream: Stream[tuple[int, ...]] = Stream()
        self._digests.setdefault(digest_id, []).append(stream)
        return stream

    def idle(self) -> Stream[_Idle]:
        """A new stream of idle-time notifications."""
        stream: Stream[_Idle] = Stream()
        self._idle.append(stream)
        return stream

    def receive(self, message: _Message) -> None:
        """Hand a message of the server's to the streams that it concerns."""
        try:
            self._sort(message)
        except ProtocolError as error:
            self.lost += 1
            _log.error("a notification was dropped: %s", error)

    def close(self) -> None:
        """End all streams."""
        for digests in self._digests.values():
            for digest in digests:
                digest.close()
        for idle in self._idle:
            idle.close()

    @abstractmethod
    def _sort(self, message: _Message) -> None:
        """Call `_give_digests` or `_give_idle`, if it is of that kind; raises ProtocolError."""

    def _give_digests(self, digest_id: int, data: Sequence[_Data]) -> None:
        decode = self._decoders.get(digest_id)
        if decode is None:
            raise ProtocolError(f"digest id {digest_id:#x} is not in the program's schema")
        if streams := self._digests.get(digest_id):
            _give(streams, [decode(item) for item in data])
        else:
            self.lost += len(data)

    def _give_idle(self, entries: Sequence[_Idle]) -> None:
        if self._idle:
            _give(self._idle, entries)
        else:
            self.lost += len(entries)


def _give(streams: Iterable[Stream[_T]], batch: Sequence[_T]) -> None:
    for stream in streams:
        stream.put(batch)
