"""Captured TCP packets, counted by connection."""

from __future__ import annotations

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

_ETHERNET = 14
_TOTAL_LENGTH = slice(_ETHERNET + 2, _ETHERNET + 4)
_SOURCE, _DESTINATION = slice(_ETHERNET + 12, _ETHERNET + 16), slice(_ETHERNET + 16, _ETHERNET + 20)
_SEQUENCE, _ACKNOWLEDGMENT, _DATA_OFFSET = 4, 8, 12
LONGEST_HEAD = _ETHERNET + 60 + _DATA_OFFSET + 1
"""Bytes of a frame that are looked at: up to TCP's data offset behind the longest IPv4 header."""
MTU = 1500
"""Bytes of an IPv4 packet on the laboratory's links."""
_MOST_SENT = 1 << 16
"""Bytes that a client sends in one connection at most. An ISN moves on by as much in 4 ms on Linux."""


class Direction(Enum):
    """Which way a packet crossed an interface, seen from the namespace that the interface is in."""

    IN = "in"
    OUT = "out"


@dataclass(slots=True)
class _Connection:
    number: int
    """One of the client's sequence numbers."""
    packets: int = 0
    data: bool = False
    """Whether a packet carried any."""


class Tally:
    """Counts packets of the clients' connections, known by the client's address, port and sequence numbers.

    These stay the same whether L7LB stands between client and server or not, in transparent mode.
    Ports alone do not do: Linux chooses them anew at random every ten seconds, and so meets some again.
    """

    def __init__(self, clients: Iterable[str]) -> None:
        self._clients = frozenset(ipaddress.IPv4Address(address).packed for address in clients)
        self._connections: defaultdict[bytes, list[_Connection]] = defaultdict(list)
        """By the client's address and port."""
        self.captured: Counter[Direction] = Counter()
        """All packets by direction, those with no client at either end, such as health probes, included."""
        self.oversized = 0
        """Packets that are larger than the MTU: several in one, as offloads make them."""

    @property
    def connections(self) -> list[int]:
        """The packets of each connection that carried data; load generators open a few that they do not need."""
        return [one.packets for same_port in self._connections.values() for one in same_port if one.data]

    def add(self, direction: Direction, frame: bytes) -> None:
        """Count one frame: Ethernet, IPv4 and TCP, the first `LONGEST_HEAD` bytes of it at least."""
        self.captured[direction] += 1
        header = (frame[_ETHERNET] & 0x0F) * 4
        tcp = _ETHERNET + header
        if frame[_SOURCE] in self._clients:
            client, number = frame[_SOURCE] + frame[tcp : tcp + 2], tcp + _SEQUENCE
        elif frame[_DESTINATION] in self._clients:
            client, number = frame[_DESTINATION] + frame[tcp + 2 : tcp + 4], tcp + _ACKNOWLEDGMENT
        else:
            return
        connection = self._find(client, int.from_bytes(frame[number : number + 4], "big"))
        connection.packets += 1
        length = int.from_bytes(frame[_TOTAL_LENGTH], "big")
        if length > header + (frame[tcp + _DATA_OFFSET] >> 4) * 4:
            connection.data = True
        if length > MTU:
            self.oversized += 1

    def _find(self, client: bytes, number: int) -> _Connection:
        for connection in self._connections[client]:
            if (number - connection.number + _MOST_SENT) % (1 << 32) <= 2 * _MOST_SENT:
                return connection
        connection = _Connection(number)
        self._connections[client].append(connection)
        return connection
