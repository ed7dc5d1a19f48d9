"""The bmv2 fast path: where its parts are put together."""

from __future__ import annotations

from functools import partial
from typing import Self

import p4rt
from fastpath.bmv2.driver import ENDED, P4RuntimeDriver
from fastpath.errors import Unavailable
from fastpath.pipeline.fastpath import PipelineFastPath
from fastpath.pipeline.link import Link
from fastpath.switch.network import Network
from p4rt import Pipeline, Session


class Bmv2FastPath(PipelineFastPath):
    """A FastPath of the v1model program that a P4Runtime server runs."""

    @classmethod
    async def open(
        cls,
        address: str,
        pipeline: Pipeline,
        cpu_interface: str,
        network: Network,
        *,
        device_id: int = 0,
        election_id: int = 1,
        idle_after: float = 600.0,
    ) -> Self:
        """Take over the P4Runtime server at `address` (host:port, or unix:path), as the primary controller.

        The server gets `pipeline` unless it runs that already. Punts come and injected frames go through
        `cpu_interface`. What an earlier run has left in the tables is deleted. A splice without a packet for
        `idle_after` seconds is reported Idle, again and again until it is removed or used. Raises Unavailable, and
        Rejected for a `network` that cannot be.
        """
        connect = partial(_connect, address, pipeline, device_id, election_id, idle_after)
        return await cls.take_over(connect, cpu_interface, network)

    @classmethod
    async def attach(cls, session: Session, link: Link, network: Network, *, idle_after: float = 600.0) -> Self:
        """As `open`, with a session that has asked for the digest ENDED, and a CPU interface; `close` closes both."""
        return await cls.begin(P4RuntimeDriver(session, idle_after), link, network)


async def _connect(
    address: str, pipeline: Pipeline, device_id: int, election_id: int, idle_after: float
) -> P4RuntimeDriver:
    """Raises Unavailable."""
    try:
        session = await Session.open(address, pipeline, device_id=device_id, election_id=election_id, digests=(ENDED,))
    except (p4rt.P4rtError, ValueError) as error:
        raise Unavailable(f"cannot drive device {device_id} of the switch at {address}: {error}") from error
    try:
        return P4RuntimeDriver(session, idle_after)
    except BaseException:
        await session.close()
        raise
