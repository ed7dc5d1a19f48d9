"""Ports of a device on network interfaces, through packet sockets on the event loop."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence

from p4model.device import Pipeline
from p4model.offloads import HEADER, NO_OFFLOADS, SegmentationOffload, complete

log = logging.getLogger(__name__)

_ETH_P_ALL = 0x0003
_SOL_PACKET = 263
_PACKET_ADD_MEMBERSHIP, _PACKET_AUXDATA, _PACKET_VNET_HDR, _PACKET_IGNORE_OUTGOING = 1, 8, 15, 23
_PACKET_MR_PROMISC = 1
_MEMBERSHIP = struct.Struct("=iHH8s")
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33
_BUFFER = 16 << 20
"""Bytes of socket buffer: a burst of some thousand full frames."""
_BURST = 64
"""Frames taken from one port before the others and the service have their turn."""
_LARGEST_FRAME = HEADER.size + 14 + 65535
_AUXDATA = struct.Struct("=IIIHHHH")
"""struct tpacket_auxdata (linux/if_packet.h): status, two lengths, two offsets, a VLAN tag's TCI and EtherType."""
_CONTROL = socket.CMSG_SPACE(_AUXDATA.size)
_TP_STATUS_VLAN_VALID = 1 << 4
_ETHERNET_ADDRESSES = 12


class PortError(Exception):
    """A port cannot be opened; the message names it and says why."""


class Port:
    """One port: a nonblocking packet socket on an interface, which takes frames for all addresses.

    Frames are complete both ways: checksums that a sender left to its interface are filled in, VLAN tags that the
    kernel took out are put back, frames that were left to be segmented are refused.
    """

    def __init__(self, number: int, interface: str) -> None:
        self.number = number
        self.interface = interface
        self.refused = 0
        """Frames that came and were not taken."""
        self.unsent = 0
        """Frames that the interface did not take."""
        try:
            # Bound to no protocol at first, so that nothing of other interfaces gets in.
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        except PermissionError:
            raise PortError("packet sockets are not permitted: run as root or grant CAP_NET_RAW") from None
        try:
            self._open(interface)
        except OSError as error:
            self._socket.close()
            raise PortError(
                f"port {number}: cannot open the interface {interface}: {error.strerror or error}"
            ) from error
        self._buffer = memoryview(bytearray(_LARGEST_FRAME))

    def _open(self, interface: str) -> None:
        promiscuous = _MEMBERSHIP.pack(socket.if_nametoindex(interface), _PACKET_MR_PROMISC, 0, b"")
        self._socket.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, promiscuous)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _BUFFER)
        self._socket.bind((interface, _ETH_P_ALL))

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._socket.fileno()

    def receive(self, limit: int) -> Iterator[bytes]:
        """Up to `limit` frames that have come, in order."""
        for _ in range(limit):
            try:
                length, control, _, _ = self._socket.recvmsg_into([self._buffer], _CONTROL)
                yield _tagged(complete(self._buffer[:length]), control)
            except BlockingIOError:
                return
            except SegmentationOffload as error:
                self._refuse(f"a frame to be segmented ({error}); switch tso, gso and gro off where it comes from")
            except OSError as error:
                if error.errno == errno.ENETDOWN:
                    return
                self._refuse(f"a frame that the kernel does not hand out: {error.strerror}")

    def send(self, frame: bytes) -> None:
        """Send a frame; one that the interface does not take is lost and counted."""
        try:
            self._socket.send(NO_OFFLOADS + frame)
        except OSError as error:
            self.unsent += 1
            if self.unsent == 1:
                log.warning("port %d (%s) lost a frame of %d bytes: %s", *self._place, len(frame), error.strerror)

    def close(self) -> None:
        """Close the socket; idempotent."""
        self._socket.close()

    @property
    def _place(self) -> tuple[int, str]:
        return self.number, self.interface

    def _refuse(self, what: str) -> None:
        self.refused += 1
        if self.refused == 1:
            log.warning("port %d (%s) refused %s", *self._place, what)


def _tagged(frame: bytes, control: Sequence[tuple[int, int, bytes]]) -> bytes:
    """The frame with the VLAN tag (IEEE 802.1Q) that `control`, what the kernel tells of it, has."""
    for level, kind, data in control:
        if level == _SOL_PACKET and kind == _PACKET_AUXDATA:
            status, _, _, _, _, tag, ether_type = _AUXDATA.unpack(data)
            if status & _TP_STATUS_VLAN_VALID:
                addresses, rest = frame[:_ETHERNET_ADDRESSES], frame[_ETHERNET_ADDRESSES:]
                return addresses + struct.pack("!HH", ether_type, tag) + rest
    return frame


class Ports:
    """All ports of a device. Frames that come go through it, what it sends leaves; other ports lead nowhere."""

    def __init__(self, device: Pipeline, interfaces: Mapping[int, str]) -> None:
        self._device = device
        self._loop = asyncio.get_running_loop()
        self._ports: dict[int, Port] = {}
        self._absent: set[int] = set()
        try:
            for number, interface in interfaces.items():
                self._ports[number] = Port(number, interface)
        except PortError:
            self.close()
            raise
        for port in self._ports.values():
            self._loop.add_reader(port.fileno(), self._receive, port)

    def close(self) -> None:
        """Close all ports; idempotent."""
        while self._ports:
            _, port = self._ports.popitem()
            self._loop.remove_reader(port.fileno())
            port.close()

    def _receive(self, port: Port) -> None:
        for frame in port.receive(_BURST):
            for number, output in self._device.process(port.number, frame).outputs:
                leaves = self._ports.get(number)
                if leaves is not None:
                    leaves.send(output)
                elif number not in self._absent:
                    self._absent.add(number)
                    log.warning("the program sends to port %d, which leads nowhere", number)
