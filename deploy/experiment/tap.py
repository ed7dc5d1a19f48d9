"""A raw socket that sees the TCP packets of one interface in one direction."""

from __future__ import annotations

import ctypes
import socket
import struct
from dataclasses import dataclass

from deploy.experiment.tally import LONGEST_HEAD, Direction

_ETH_P_ALL = 0x0003
_SOL_PACKET, _PACKET_STATISTICS = 263, 6
_SO_ATTACH_FILTER, _SO_RCVBUFFORCE = 26, 33
_BUFFER = 512 << 20
"""Bytes of socket buffer, as the kernel counts them: more than 100,000 full-sized packets."""
_STATISTICS = struct.Struct("=II")

_INSTRUCTION = struct.Struct("=HBBI")
"""struct sock_filter: code, jump if true, jump if false, constant."""
_LOAD_BYTE, _LOAD_HALF, _JUMP_EQUAL, _RETURN = 0x30, 0x28, 0x15, 0x06
_PACKET_TYPE = 0xFFFF_F000 + 4
"""SKF_AD_OFF + SKF_AD_PKTTYPE: where classic BPF finds the packet type."""
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
            self._attach(_program(tap.direction))
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

    def _attach(self, program: bytes) -> None:
        code = ctypes.create_string_buffer(program, len(program))
        # struct sock_fprog: the number of instructions and, aligned, where they are.
        argument = struct.pack("@HP", len(program) // _INSTRUCTION.size, ctypes.addressof(code))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, argument)


def _program(direction: Direction) -> bytes:
    """Classic BPF: the first `LONGEST_HEAD` bytes of an IPv4 TCP packet of `direction`, nothing of any other."""
    outgoing = direction is Direction.OUT
    instructions = (
        (_LOAD_BYTE, 0, 0, _PACKET_TYPE),
        (_JUMP_EQUAL, 0 if outgoing else 5, 5 if outgoing else 0, _PACKET_OUTGOING),
        (_LOAD_HALF, 0, 0, _ETHER_TYPE),
        (_JUMP_EQUAL, 0, 3, _ETHERTYPE_IPV4),
        (_LOAD_BYTE, 0, 0, _PROTOCOL),
        (_JUMP_EQUAL, 0, 1, socket.IPPROTO_TCP),
        (_RETURN, 0, 0, LONGEST_HEAD),
        (_RETURN, 0, 0, 0),
    )
    return b"".join(_INSTRUCTION.pack(*instruction) for instruction in instructions)
