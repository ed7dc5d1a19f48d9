"""The Tofino fast path: where its parts are put together."""

from __future__ import annotations

import zlib
from functools import partial
from typing import Self

import bfrt
from bfrt import Session
from fastpath.errors import Unavailable
from fastpath.pipeline.fastpath import PipelineFastPath
from fastpath.pipeline.link import Link
from fastpath.switch.network import Network
from fastpath.tofino.driver import BfrtDriver


class TofinoFastPath(PipelineFastPath):
    """A FastPath of the TNA program that a BfRt server runs."""

    @classmethod
    async def open(
        cls, address: str, program: str, cpu_interface: str, network: Network, *, idle_after: float = 600.0
    ) -> Self:
        """Take over `program` on the BfRt server at `address` (host:port, or unix:path).

        Punts come and injected frames go through `cpu_interface`. What an earlier run has left in the tables is
        deleted. A splice without a packet for `idle_after` seconds is reported Idle, in every sweep until it is
        removed or used. Raises Unavailable, and Rejected for a `network` that cannot be.
        """
        return await cls.take_over(partial(_connect, address, program, idle_after), cpu_interface, network)

    @classmethod
    async def attach(cls, session: Session, link: Link, network: Network, *, idle_after: float = 600.0) -> Self:
        """As `open`, with a session and a CPU interface that are there; `close` closes both."""
        return await cls.begin(BfrtDriver(session, idle_after), link, network)


async def _connect(address: str, program: str, idle_after: float) -> BfrtDriver:
    """Raises Unavailable."""
    try:
        session = await Session.open(address, program, client_id=_client_id(program))
    except bfrt.Refused as error:
        hint = "is another l7lb, or a tool of the SDE, using it?"
        raise Unavailable(f"cannot drive {program} on the switch at {address}: {error}; {hint}") from error
    except (bfrt.BfrtError, ValueError) as error:
        raise Unavailable(f"cannot drive {program} on the switch at {address}: {error}") from error
    try:
        return BfrtDriver(session, idle_after)
    except BaseException:
        await session.close()
        raise


def _client_id(program: str) -> int:
    """The id of the one client that drives `program`: 24 bits, so that programs of one switch have each their own."""
    return zlib.crc32(program.encode()) & 0xFF_FFFF
