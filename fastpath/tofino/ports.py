"""The ports of a switch, which have to be added to its device."""

from __future__ import annotations

import bfrt
from bfrt import SchemaError, Session
from fastpath.errors import Rejected, Unavailable
from fastpath.switch.network import Network


async def add(session: Session, network: Network) -> None:
    """Add the ports that have a speed to the device, where they are missing; raises Rejected and Unavailable."""
    for port in network.ports:
        if port.speed is None:
            continue
        try:
            await bfrt.add_port(session, port.number, port.speed, (port.fec or "none").replace("_", "-"))
        except SchemaError as error:
            raise Rejected(f"port {port.number}: {error}") from error
        except bfrt.BfrtError as error:
            raise Unavailable(f"port {port.number}: {error}") from error
