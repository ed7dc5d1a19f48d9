"""Where a session connects to, and as whom."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import grpc

from bfrt.connection import Connection
from bfrt.errors import Refused, Unavailable
from bfrt.proto import bfruntime_pb2 as pb

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0
"""Seconds."""
_TAKEN = frozenset({grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.ALREADY_EXISTS})
"""The client's id and its program are taken until the server has noticed that the connection before is gone."""

Documents = tuple[bytes, bytes]
"""bf-rt.json of the program and of the fixed tables."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A program on a server, and a client of it; `timeout` in seconds, `jitter` gives numbers from 0 to below 1."""

    address: str
    program: str
    client_id: int
    wanted: pb.Notifications
    timeout: float
    jitter: Callable[[], float]

    async def connect(self) -> tuple[Connection, Documents]:
        """One attempt; raises Unavailable, Refused and ProtocolError."""
        connection = Connection(self.address, self.program, self.client_id, self.timeout)
        try:
            return connection, await connection.open(self.wanted)
        except BaseException:
            await connection.close()
            raise

    async def connect_within(self, seconds: float) -> tuple[Connection, Documents]:
        """Attempts as long as it makes sense, for so many seconds at most; raises as `connect`."""
        end = time.monotonic() + seconds
        for pause in self.pauses():
            try:
                return await self.connect()
            except (Unavailable, Refused) as error:
                final = isinstance(error, Refused) and error.code not in _TAKEN
                if final or time.monotonic() + pause >= end:
                    raise
            await asyncio.sleep(pause)
        raise AssertionError("pauses never end")

    def pauses(self) -> Iterator[float]:
        """Seconds before each next attempt: doubling, and shortened by up to a half lest clients move in step."""
        pause = _FIRST_PAUSE
        while True:
            yield pause * (1 - self.jitter() / 2)
            pause = min(2 * pause, _LONGEST_PAUSE)
