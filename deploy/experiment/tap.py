"""A raw socket that sees the TCP packets of one interface in one direction."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

from deploy.experiment.tally import LONGEST_HEAD, Direction
from fastpath import socket_filter
from fastpath.socket_filter import JUMP_EQUAL, LOAD_BYTE, LOAD_HALF, PACKET_TYPE, RETURN, Instruction

_ETH_P_ALL = 0x0003
_SOL_PACKET, _PACKET_STATISTICS = 263, 6
_SO_RCVBUFFORCE = 33
_BUFFER = 512 << 20
"""Bytes of socket buffer, as the kernel counts them: more than 100,000 full-sized packets."""
_STATISTICS = struct.Struct("=II")

_PACKET_OUTGOING = 4
_ETHER_TYPE, _ETHERTYPE_IPV4 = 12, 0x0800
_PROTOCOL = 14 + 9


@dataclass(frozen=True, slots=True)
class Tap:
    """Where packets are captured: those that cross `interface` in `direction`."""

    interface: str
    direction: Direction


class TapSocket:
    """A nonblocking AF_PACKET socket on `tap`, in the network namespace of the thread that makes it.

    The kernel passes the heads of IPv4 TCP packets, and counts what finds no room. Raises OSError.
    """

    def __init__(self, tap: Tap) -> None:
        self.direction = tap.direction
        # Bound to no protocol at first, so that nothing gets in past the filter.
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        try:
            socket_filter.attach(self._socket, _program(tap.direction))
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
            self._socket.bind((tap.interface, _ETH_P_ALL))
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._socket.fileno()

    def receive(self) -> bytes | None:
        """The head of the next frame; None if there is none yet."""
        try:
            return self._socket.recv(LONGEST_HEAD)
        except BlockingIOError:
            return None

    def lost(self) -> int:
        """Packets that found no room since this was asked last."""
        _packets, dropped = _STATISTICS.unpack(self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
        return int(dropped)

    def close(self) -> None:
        """Close the socket; idempotent."""
        self._socket.close()


def _program(direction: Direction) -> list[Instruction]:
    """The first `LONGEST_HEAD` bytes of an IPv4 TCP packet of `direction`, nothing of any other."""
    outgoing = direction is Direction.OUT
    return [
        Instruction(LOAD_BYTE, 0, 0, PACKET_TYPE),
        Instruction(JUMP_EQUAL, 0 if outgoing else 5, 5 if outgoing else 0, _PACKET_OUTGOING),
        Instruction(LOAD_HALF, 0, 0, _ETHER_TYPE),
        Instruction(JUMP_EQUAL, 0, 3, _ETHERTYPE_IPV4),
        Instruction(LOAD_BYTE, 0, 0, _PROTOCOL),
        Instruction(JUMP_EQUAL, 0, 1, socket.IPPROTO_TCP),
        Instruction(RETURN, 0, 0, LONGEST_HEAD),
        Instruction(RETURN, 0, 0, 0),
    ]
