"""Digests on their way to the client: batched as the hardware's learn buffer is, and lost if nobody is bound."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bfrt.proto import bfruntime_pb2 as pb
from p4model.bfruntime.clients import Clients
from p4model.bfruntime.codec import ValuesCodec
from p4model.bfruntime.schema import Schema
from p4model.device import Learned

_BUFFER = 2048
"""Digests in one message, at most."""
_ALL_PARSERS = 0xFF


class Learning:
    """Collects digests for `timeout` seconds, then sends those of each learn filter."""

    def __init__(self, schema: Schema, clients: Clients, timeout: float) -> None:
        self._clients = clients
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._filters = {
            info.name: (schema.digests[schema.qualified(info.name)], ValuesCodec(info.name, info.members))
            for info in schema.program.digests
        }
        self._pending: dict[str, list[tuple[int, ...]]] = {}

    def hear(self, learned: Sequence[Learned]) -> None:
        """Take digests, from any thread."""
        self._loop.call_soon_threadsafe(self._collect, tuple(learned))

    def _collect(self, learned: Sequence[Learned]) -> None:
        if not self._pending:
            self._loop.call_later(self._timeout, self._flush)
        for name, values in learned:
            self._pending.setdefault(name, []).append(values)

    def _flush(self) -> None:
        pending, self._pending = self._pending, {}
        client = self._clients.learner()
        if client is None:
            return
        for name, digests in pending.items():
            for start in range(0, len(digests), _BUFFER):
                client.notify(self._message(name, digests[start : start + _BUFFER]))

    def _message(self, name: str, digests: Sequence[tuple[int, ...]]) -> pb.StreamMessageResponse:
        id_, codec = self._filters[name]
        message = pb.StreamMessageResponse()
        message.digest.digest_id = id_
        message.digest.target.prsr_id = _ALL_PARSERS
        for values in digests:
            codec.encode(values, message.digest.data.add())
        return message
