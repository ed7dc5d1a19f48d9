"""Whose a punted packet is."""

from __future__ import annotations

from fastpath import frame as cpu
from fastpath.frame import Punt
from fastpath.records import Flow
from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint

_START = cpu.PACKET_OFFSET
_ETHERTYPE = slice(_START - 2, _START)
_IPV4 = cpu.ETHERTYPE_IPV4.to_bytes(2, "big")
_PROTOCOL = _START + 9
_SOURCE, _DESTINATION = slice(_START + 12, _START + 16), slice(_START + 16, _START + 20)
_SMALLEST = _START + 24
"""Where the ports of a packet without IPv4 options end."""


def flow_of(punt: Punt) -> Flow | None:
    """The flow of a TCP packet over IPv4 if its destination is a VIP; None for any other packet, or too short ones."""
    raw = punt.raw
    if len(raw) < _SMALLEST or raw[_ETHERTYPE] != _IPV4 or raw[_START] >> 4 != 4 or raw[_PROTOCOL] != tcp.PROTOCOL:
        return None
    ports = _START + (raw[_START] & 15) * 4
    source_port, destination_port = raw[ports : ports + 2], raw[ports + 2 : ports + 4]
    client = Endpoint(raw[_SOURCE], int.from_bytes(source_port, "big"))
    return Flow(client, Endpoint(raw[_DESTINATION], int.from_bytes(destination_port, "big")))
