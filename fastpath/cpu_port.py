"""The slow path's end of the CPU interface: a raw socket that carries frames of `fastpath.frame`."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Sequence

from fastpath import socket_filter
from fastpath.errors import Unavailable
from fastpath.receive_ring import SOL_PACKET, ReceiveRing
from fastpath.send_batch import SendBatch
from fastpath.socket_filter import JUMP_EQUAL, LOAD_BYTE, RETURN, VLAN_TAG_PRESENT, WHOLE, Instruction

_ETH_P_ALL = 0x0003
_PACKET_STATISTICS, _PACKET_VNET_HDR, _PACKET_IGNORE_OUTGOING = 6, 15, 23
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33
_BUFFER = 64 << 20
"""Bytes of socket buffer, as the kernel counts them: some thousand full GSO super-packets."""
_SLOTS = 8192
"""Frames that may wait to be received: 16 MiB of memory, from the start."""
_STATISTICS = struct.Struct("=II")
_UNTAGGED = [
    Instruction(LOAD_BYTE, 0, 0, VLAN_TAG_PRESENT),
    Instruction(JUMP_EQUAL, 0, 1, 0),
    Instruction(RETURN, 0, 0, WHOLE),
    Instruction(RETURN, 0, 0, 0),
]
"""The kernel takes VLAN tags out of frames: what is of another network would look like one of ours."""


class CpuPort:
    """A nonblocking AF_PACKET socket on `interface`, with a virtio_net_hdr before each frame.

    With that header a GSO super-packet and a checksum still to be completed pass as they are, both
    ways. Frames with a VLAN tag are nobody's and are not received. Raises Unavailable if the
    interface is missing, the process may not open raw sockets, or the kernel has no ring for them.
    """

    def __init__(self, interface: str) -> None:
        try:
            # Bound to no protocol at first, so that nothing of other interfaces gets in.
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        except PermissionError:
            raise Unavailable("raw sockets are not permitted: run as root or grant CAP_NET_RAW") from None
        try:
            socket_filter.attach(self._socket, _UNTAGGED)
            self._socket.setsockopt(SOL_PACKET, _PACKET_VNET_HDR, 1)
            self._socket.setsockopt(SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _BUFFER)
            self._ring = ReceiveRing(self._socket, _SLOTS)
        except OSError as error:
            self._socket.close()
            raise Unavailable(f"cannot set up a packet socket with a ring: {error.strerror}") from error
        try:
            self._socket.bind((interface, _ETH_P_ALL))
        except OSError as error:
            self.close()
            raise Unavailable(f"cannot open the CPU interface {interface}: {error.strerror}") from error
        self._batch = SendBatch(self._socket)
        self._dropped = 0
        self.send_failures = 0
        """Frames that found no room on their way out."""

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._socket.fileno()

    def receive(self, limit: int) -> list[bytes]:
        """Up to `limit` frames that have arrived, in order; empty if none has."""
        try:
            frames = self._ring.take(limit)
        except OSError as error:
            raise _failed(error) from error
        # An interface that has failed makes the descriptor readable, too, and no frame says so.
        if not frames and (number := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
            raise _failed(OSError(number, os.strerror(number)))
        return frames

    def send(self, frames: Sequence[bytes]) -> None:
        """Send frames in order; those that find no room are lost and counted."""
        try:
            self.send_failures += self._batch.send(frames)
        except OSError as error:
            raise _failed(error) from error

    def receive_failures(self) -> int:
        """Frames that arrived and were lost, since the socket was opened: nearly always for want of room."""
        # The kernel's count starts anew whenever it is read.
        _packets, dropped = _STATISTICS.unpack(self._socket.getsockopt(SOL_PACKET, _PACKET_STATISTICS, 8))
        self._dropped += dropped
        return self._dropped + self._ring.lost

    def close(self) -> None:
        """Close the socket; idempotent."""
        self._ring.close()
        self._socket.close()


def _failed(error: OSError) -> Unavailable:
    return Unavailable(f"the CPU interface has failed: {error.strerror}")
