"""The end of a wire to a switch: whole frames, as they are on it."""

from __future__ import annotations

import socket
import struct

from deploy.laboratory.namespace import Namespace
from tests.e2e.sockets import frame_socket

_SOL_PACKET, _PACKET_AUXDATA = 263, 8
_TP_STATUS_VLAN_VALID = 1 << 4
_AUXDATA = struct.Struct("=IIIHHHH")
"""linux/if_packet.h, tpacket_auxdata: status, length, captured length, two offsets, VLAN TCI and TPID."""
_ADDRESSES = 12
_LONGEST = 65535


class Wire:
    """Sends and receives on `interface` in `namespace`."""

    def __init__(self, namespace: Namespace, interface: str) -> None:
        self._socket = frame_socket(namespace, interface)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)

    def fileno(self) -> int:
        """For select."""
        return self._socket.fileno()

    def send(self, frame: bytes) -> None:
        """Put a frame on the wire."""
        self._socket.send(frame)

    def receive(self) -> bytes:
        """The next frame, with the VLAN tag that the kernel has taken out of it."""
        frame, control, _, _ = self._socket.recvmsg(_LONGEST, socket.CMSG_SPACE(_AUXDATA.size))
        for level, kind, data in control:
            if (level, kind) == (_SOL_PACKET, _PACKET_AUXDATA):
                status, _, _, _, _, tci, tpid = _AUXDATA.unpack(data)
                if status & _TP_STATUS_VLAN_VALID:
                    return frame[:_ADDRESSES] + struct.pack("!HH", tpid, tci) + frame[_ADDRESSES:]
        return frame

    def close(self) -> None:
        """Cut it."""
        self._socket.close()
