"""Frames of a laboratory's clients and servers, as a tap sees them."""

from __future__ import annotations

from deploy.experiment.tally import LONGEST_HEAD
from slowpath.wire.endpoint import Endpoint
from tests.conformance.packets import Tcp, nops

CLIENT, OTHER_CLIENT, VIP, SERVER, BALANCER = "10.1.0.2", "10.1.0.3", "10.1.0.100", "10.2.0.11", "10.2.0.1"
CLIENTS = (CLIENT, OTHER_CLIENT)
_SERVERS_NUMBER = 3_000_000_000


def frame(
    source: tuple[str, int],
    destination: tuple[str, int],
    *,
    number: int = 1000,
    payload: int = 0,
    ip_options: int = 0,
    options: int = 0,
) -> bytes:
    """The head of a frame; `number` is the client's SEQ or what the server acknowledges of it.

    Lengths are in bytes, those of options multiples of 4.
    """
    from_client = source[0] in CLIENTS
    ends = [Endpoint.parse(f"{address}:{port}") for address, port in (source, destination)]
    packet = Tcp(
        source=ends[0],
        destination=ends[1],
        sequence=number if from_client else _SERVERS_NUMBER,
        acknowledgment=_SERVERS_NUMBER if from_client else number,
        payload=bytes(payload),
        ip_options=nops(ip_options),
        options=nops(options),
    )
    return packet.arriving(0)[:LONGEST_HEAD]
