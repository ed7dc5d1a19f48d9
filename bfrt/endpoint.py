"""Where a session connects to, and as whom."""

from __future__ import annotations

from dataclasses import dataclass

from bfrt.connection import Connection
from bfrt.proto import bfruntime_pb2 as pb

Documents = tuple[bytes, bytes]
"""bf-rt.json of the program and of the fixed tables."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A program on a server, and a client of it; `timeout` in seconds."""

    address: str
    program: str
    client_id: int
    wanted: pb.Notifications
    timeout: float

    async def connect(self) -> tuple[Connection, Documents]:
        """One attempt; raises Unavailable, Refused and ProtocolError."""
        connection = Connection(self.address, self.program, self.client_id, self.timeout)
        try:
            return connection, await connection.open(self.wanted)
        except BaseException:
            await connection.close()
            raise
