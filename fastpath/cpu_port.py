"""The slow path's end of the CPU interface: a raw socket that carries frames of `fastpath.frame`."""

from __future__ import annotations

import errno
import socket
import struct

from fastpath import socket_filter
from fastpath.errors import Unavailable
from fastpath.socket_filter import JUMP_EQUAL, LOAD_BYTE, RETURN, VLAN_TAG_PRESENT, WHOLE, Instruction

_ETH_P_ALL = 0x0003
_SOL_PACKET = 263
_PACKET_STATISTICS, _PACKET_VNET_HDR, _PACKET_IGNORE_OUTGOING = 6, 15, 23
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33
_BUFFER = 64 << 20
"""Bytes of socket buffer, as the kernel counts them: some thousand full GSO super-packets."""
_LARGEST_FRAME = 10 + 14 + 65535
_STATISTICS = struct.Struct("=II")
_NO_ROOM = frozenset({errno.EAGAIN, errno.ENOBUFS})
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
    interface is missing or the process may not open raw sockets.
    """

    def __init__(self, interface: str) -> None:
        try:
            # Bound to no protocol at first, so that nothing of other interfaces gets in.
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        except PermissionError:
            raise Unavailable("raw sockets are not permitted: run as root or grant CAP_NET_RAW") from None
        try:
            socket_filter.attach(self._socket, _UNTAGGED)
            self._socket.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
            self._socket.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _BUFFER)
            self._socket.bind((interface, _ETH_P_ALL))
        except OSError as error:
            self._socket.close()
            raise Unavailable(f"cannot open the CPU interface {interface}: {error.strerror}") from error
        self._buffer = memoryview(bytearray(_LARGEST_FRAME))
        self._lost = 0
        self.send_failures = 0
        """Frames that found no room on their way out."""

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._socket.fileno()

    def receive(self, limit: int) -> list[bytes]:
        """Up to `limit` frames that have arrived, in order; empty if none has."""
        frames: list[bytes] = []
        receive, buffer = self._socket.recv_into, self._buffer
        for _ in range(limit):
            try:
                frames.append(bytes(buffer[: receive(buffer)]))
            except BlockingIOError:
                break
            except OSError as error:
                # A packet of an offload that a virtio_net_hdr has no name for.
                if error.errno != errno.EINVAL:
                    raise Unavailable(f"the CPU interface has failed: {error.strerror}") from error
                self._lost += 1
        return frames

    def send(self, frame: bytes) -> None:
        """Send a frame; one that finds no room is lost and counted."""
        try:
            self._socket.send(frame)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise Unavailable(f"the CPU interface has failed: {error.strerror}") from error
            self.send_failures += 1

    def receive_failures(self) -> int:
        """Frames that arrived and were lost, since the socket was opened: nearly always for want of room."""
        # The kernel's count starts anew whenever it is read.
        _packets, dropped = _STATISTICS.unpack(self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
        self._lost += dropped
        return self._lost

    def close(self) -> None:
        """Close the socket; idempotent."""
        self._socket.close()
