"""Digests on their way to the controllers: in lists, each kept back from repetition until it is acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence

from p4model.device import Learned
from p4model.p4runtime.codec import encode
from p4model.state.errors import AlreadyExists, InvalidArgument, NotFound
from p4rt.proto import p4data_pb2 as data
from p4rt.proto import p4runtime_pb2 as pb

Send = Callable[[pb.StreamMessageResponse], None]

_NANOSECONDS = 1_000_000_000
_Values = tuple[int, ...]


class ServedDigest:
    """One digest (P4Runtime section 9.8): nothing is sent until it is configured."""

    def __init__(self, id_: int, name: str, send: Send) -> None:
        self.id = id_
        self._name = name
        self._send = send
        self._config: pb.DigestEntry.Config | None = None
        self._list_id = 1
        self._list: dict[_Values, None] = {}
        """The list in the making, in order and without repetition."""
        self._timer: asyncio.TimerHandle | None = None
        self._unacknowledged: dict[int, tuple[_Values, ...]] = {}
        self._held: set[_Values] = set()
        """What is in lists that are not acknowledged."""

    # Configuration

    def insert(self, entry: pb.DigestEntry) -> None:
        """Begin to send; raises AlreadyExists or InvalidArgument."""
        if self._config is not None:
            raise AlreadyExists(f"{self._name}: is configured already")
        self._config = self._checked(entry)

    def modify(self, entry: pb.DigestEntry) -> None:
        """Go on with another configuration; raises NotFound or InvalidArgument."""
        self.configuration()
        self._config = self._checked(entry)

    def delete(self, entry: pb.DigestEntry) -> None:
        """Send no more, and forget all lists; raises NotFound."""
        self.configuration()
        self.close()

    def close(self) -> None:
        """Send no more, and forget all lists; idempotent."""
        self._config = None
        self._take()
        self._unacknowledged.clear()
        self._held.clear()

    def configuration(self) -> pb.DigestEntry:
        """What it is configured with; raises NotFound."""
        if self._config is None:
            raise NotFound(f"{self._name}: is not configured")
        return pb.DigestEntry(digest_id=self.id, config=self._config)

    def _checked(self, entry: pb.DigestEntry) -> pb.DigestEntry.Config:
        config = pb.DigestEntry.Config()
        config.CopyFrom(entry.config)
        if config.max_timeout_ns < 0 or config.max_list_size < 0 or config.ack_timeout_ns < 0:
            raise InvalidArgument(f"{self._name}: its configuration has a negative number")
        return config

    # Data

    def learn(self, values: _Values) -> None:
        """Take data that a packet raised."""
        config = self._config
        if config is None or values in self._held or values in self._list:
            return
        self._list[values] = None
        if not config.max_timeout_ns or 0 < config.max_list_size <= len(self._list):
            self._flush()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(config.max_timeout_ns / _NANOSECONDS, self._flush)

    def acknowledge(self, list_id: int) -> None:
        """Let the data of a list be sent again; a list that is not known is none that is held."""
        self._held.difference_update(self._unacknowledged.pop(list_id, ()))

    def _flush(self) -> None:
        config, sent = self._config, self._take()
        if config is None or not sent:
            return
        message = pb.StreamMessageResponse()
        message.digest.digest_id, message.digest.list_id = self.id, self._list_id
        message.digest.timestamp = time.monotonic_ns()
        message.digest.data.extend(map(_struct, sent))
        if config.ack_timeout_ns:
            self._unacknowledged[self._list_id] = sent
            self._held.update(sent)
            expires = asyncio.get_running_loop().call_later
            expires(config.ack_timeout_ns / _NANOSECONDS, self.acknowledge, self._list_id)
        self._list_id += 1
        self._send(message)

    def _take(self) -> tuple[_Values, ...]:
        """End the list in the making."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        taken = tuple(self._list)
        self._list.clear()
        return taken


class Learning:
    """Takes the digests of a device to where they are served."""

    def __init__(self, digests: Iterable[tuple[str, ServedDigest]]) -> None:
        self._digests = dict(digests)
        self._loop = asyncio.get_running_loop()

    def hear(self, learned: Sequence[Learned]) -> None:
        """Take digests, from any thread."""
        self._loop.call_soon_threadsafe(self._learn, tuple(learned))

    def _learn(self, learned: Sequence[Learned]) -> None:
        for name, values in learned:
            self._digests[name].learn(values)


def _struct(values: _Values) -> data.P4Data:
    return data.P4Data(struct=data.P4StructLike(members=[data.P4Data(bitstring=encode(value)) for value in values]))
