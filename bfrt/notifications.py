"""Sorts what a server sends on its stream into the streams of those who asked for it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from bfrt.codec import decode_key, digest_decoder
from bfrt.errors import ProtocolError
from bfrt.proto import bfruntime_pb2 as pb
from bfrt.schema import LearnFilter, Schema
from bfrt.stream import Stream
from bfrt.values import KeyValue

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ageing:
    """An entry that went idle, or became active again; the server keeps it either way."""

    table: str
    key: tuple[KeyValue, ...]
    active: bool


class Notifications:
    """The streams of a session. What nobody asked for yet, or cannot be understood, counts as `lost`."""

    def __init__(self, schema: Schema) -> None:
        self.lost = 0
        self._schema = schema
        self._decoders: dict[int, Callable[[pb.TableData], tuple[int, ...]]] = {
            learn.id: digest_decoder(learn) for learn in schema.filters
        }
        self._digests: dict[int, list[Stream[tuple[int, ...]]]] = {}
        self._idle: list[Stream[Ageing]] = []

    def digests(self, learn: LearnFilter) -> Stream[tuple[int, ...]]:
        """A new stream of that digest."""
        stream: Stream[tuple[int, ...]] = Stream()
        self._digests.setdefault(learn.id, []).append(stream)
        return stream

    def idle(self) -> Stream[Ageing]:
        """A new stream of idle-time notifications."""
        stream: Stream[Ageing] = Stream()
        self._idle.append(stream)
        return stream

    def receive(self, message: pb.StreamMessageResponse) -> None:
        """Hand a message of the server's to the streams that it concerns."""
        try:
            match message.WhichOneof("update"):
                case "digest":
                    self._digest(message.digest)
                case "idle_timeout_notification":
                    self._ageing(message.idle_timeout_notification)
        except ProtocolError as error:
            self.lost += 1
            _log.error("a notification was dropped: %s", error)

    def close(self) -> None:
        """End all streams."""
        for digests in self._digests.values():
            for stream in digests:
                stream.close()
        for ageing in self._idle:
            ageing.close()

    def _digest(self, message: pb.DigestList) -> None:
        decode = self._decoders.get(message.digest_id)
        if decode is None:
            raise ProtocolError(f"digest id {message.digest_id:#x} is not in the program's schema")
        streams = self._digests.get(message.digest_id, ())
        if not streams:
            self.lost += len(message.data)
            return
        batch = [decode(data) for data in message.data]
        for stream in streams:
            stream.put(batch)

    def _ageing(self, message: pb.IdleTimeoutNotification) -> None:
        table = self._schema.tables_by_id.get(message.table_entry.table_id)
        if table is None:
            raise ProtocolError(f"table id {message.table_entry.table_id:#x} is not in the schema")
        active = message.type == pb.IdleTimeoutNotification.ENTRY_ACTIVE
        ageing = Ageing(table.name, decode_key(table, message.table_entry.key), active)
        if not self._idle:
            self.lost += 1
        for stream in self._idle:
            stream.put((ageing,))
