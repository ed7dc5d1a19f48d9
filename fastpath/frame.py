"""Frames between fast and slow path: the CPU header and the offload header before it (design section 4).

The CPU header takes the place of the destination address of the packet's own Ethernet header, so
that a frame never grows: a full-sized packet still fits the MTU and a GSO super-packet, which
cannot be given more header bytes, can be punted. The EtherType stays, and but for one kind of punt
the source address.

    byte 0      0x02, so that the address is a local unicast one
    byte 1      reason (punt) or action (inject)
    byte 2      flags
    bytes 3-4   port, big-endian: ingress port (punt), port (inject)
    byte 5      0x4C, a marker
    bytes 6-7   of a punt for `mtu`: the next hop's MTU, big-endian; else the source address begins here

On the CPU interface's raw socket a struct virtio_net_hdr (PACKET_VNET_HDR, host byte order)
stands in front of each frame and says what an offload has yet to do.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

from fastpath.records import Reason
from slowpath.wire.ip import IPV4, IPV6, Family

LEAD: Final = 0x02
MARKER: Final = 0x4C
NO_PORT: Final = 0xFFFF
ETHERTYPE_IPV4 = IPV4.ether_type

_OFFLOAD: Final = struct.Struct("=BBHHHH")
_CPU: Final = struct.Struct("!BBBHB")
_ETHERNET: Final = struct.Struct("!BBBHB6sH")

OFFLOAD_LENGTH: Final = 10
"""Bytes of the struct virtio_net_hdr."""
_NO_OFFLOAD: Final = bytes(OFFLOAD_LENGTH)
ETHERNET_LENGTH: Final = _ETHERNET.size
_MTU: Final = OFFLOAD_LENGTH + _CPU.size
PACKET_OFFSET: Final = OFFLOAD_LENGTH + ETHERNET_LENGTH
"""Where the packet's layer 3 starts in a frame, in bytes."""

_NEEDS_CSUM: Final = 1
_DATA_VALID: Final = 2
_SEGMENTATION = {IPV4.version: 1, IPV6.version: 4}
"""Kinds of segmentation of TCP (VIRTIO_NET_HDR_GSO_TCPV4 and _TCPV6)."""
_ECN = 0x80


class Action(IntEnum):
    """What the fast path does with an injected frame."""

    TRANSLATE = 0
    """Run the pipeline as if the packet had arrived on `port`; the pivot is ignored."""
    EMIT = 1
    """Send out of `port` with the two addresses swapped, so that the frame goes to the address in the source
    field, and comes from the CPU header, which is a local unicast address of that port: for ARP and its like."""
    ROUTE = 2
    """Look up the next hop of the destination and send; nothing above layer 2 is changed."""


class InjectFlags(IntFlag):
    """Flags of an injected frame."""

    NONE = 0
    EXPECT_REPLY = 1
    """Packets of the reverse direction are the slow path's for a minute, although no listener or splice matches.

    A RST ends that, and so does the install of a splice that they belong to."""


_REASONS: Final = tuple(sorted(Reason))
"""By number, from 1 on: an Enum's own look-up takes longer than all else about a frame."""


class BadFrame(ValueError):
    """A frame from the CPU interface that is too short or not marked as one of ours."""


@dataclass(slots=True, init=False)
class Punt:
    """A packet that the fast path handed to the slow path."""

    reason: Reason
    port: int
    raw: bytes
    """The frame as received, offload header first."""

    def __init__(self, reason: Reason, port: int, raw: bytes) -> None:
        # Written out: a compiled class has a fast one only so.
        self.reason = reason
        self.port = port
        self.raw = raw

    @property
    def packet(self) -> bytes:
        """The packet from layer 3 on, link padding included."""
        return self.raw[PACKET_OFFSET:]

    @property
    def mtu(self) -> int:
        """How long a packet may be for its next hop, in bytes; of a punt for `Reason.MTU` alone."""
        return int.from_bytes(self.raw[_MTU : _MTU + 2], "big")

    @property
    def checksum_known(self) -> bool:
        """Whether an offload has checked the TCP checksum or has yet to fill it in."""
        return bool(self.raw[0] & (_NEEDS_CSUM | _DATA_VALID))

    @property
    def checksum_pending(self) -> bool:
        """Whether the TCP checksum field holds the pseudo-header's sum, for an offload to complete."""
        return bool(self.raw[0] & _NEEDS_CSUM)

    def reinjected(self, action: Action, flags: InjectFlags = InjectFlags.NONE) -> bytes:
        """The same packet as a frame to inject, its pending offloads kept."""
        head = _CPU.pack(LEAD, action, flags, self.port, MARKER)
        return b"".join((self.raw[:OFFLOAD_LENGTH], head, self.raw[OFFLOAD_LENGTH + _CPU.size :]))


def decode(raw: bytes) -> Punt:
    """Read a frame that the fast path punted; raises BadFrame."""
    if len(raw) < PACKET_OFFSET:
        raise BadFrame(f"a frame of {len(raw)} bytes is too short")
    # Byte by byte, as compiled code does that ten times as fast as it calls a struct.
    lead, reason, marker = raw[OFFLOAD_LENGTH], raw[OFFLOAD_LENGTH + 1], raw[OFFLOAD_LENGTH + 5]
    port = raw[OFFLOAD_LENGTH + 3] << 8 | raw[OFFLOAD_LENGTH + 4]
    if lead != LEAD or marker != MARKER or not 1 <= reason <= len(_REASONS):
        raise BadFrame(f"no CPU header in {raw[OFFLOAD_LENGTH:PACKET_OFFSET].hex()}")
    return Punt(_REASONS[reason - 1], port, raw)


def decode_all(raws: Iterable[bytes]) -> list[Punt]:
    """Read frames that the fast path punted; what is none of ours is left out."""
    punts = []
    for raw in raws:
        try:
            punts.append(decode(raw))
        except BadFrame:
            continue
    return punts


def replaced(punt: Punt, packet: bytes, action: Action, flags: InjectFlags = InjectFlags.NONE) -> bytes:
    """A frame that injects `packet` in the place of `punt`'s, whose pending offloads it inherits.

    It may be of the other IP version; of what `punt` had, it has the TCP segment and all behind that.
    """
    head = punt.reinjected(action, flags)[:PACKET_OFFSET]
    family = _family(packet)
    if family is not _family(punt.packet):
        head = _of_family(family, head, len(packet) - len(punt.packet))
    return head + packet


def _family(packet: bytes) -> Family:
    return IPV6 if packet[0] >> 4 == 6 else IPV4


def _of_family(family: Family, head: bytes, growth: int) -> bytes:
    """What is in front of a packet that became one of `family` and grew by `growth` bytes in front of its TCP."""
    flags, segmentation, headers, size, start, checksum = _OFFLOAD.unpack_from(head)
    if segmentation:
        segmentation = segmentation & _ECN | _SEGMENTATION[family.version]
        headers = headers and headers + growth
    if flags & _NEEDS_CSUM:
        start += growth
    offload = _OFFLOAD.pack(flags, segmentation, headers, size, start, checksum)
    return offload + head[OFFLOAD_LENGTH : PACKET_OFFSET - 2] + family.ether_type.to_bytes(2, "big")


def encode(
    packet: bytes,
    action: Action,
    *,
    port: int = NO_PORT,
    flags: InjectFlags = InjectFlags.NONE,
    peer: bytes = bytes(6),
    ether_type: int | None = None,
) -> bytes:
    """A frame that injects `packet`, an IP packet with its checksums complete unless `ether_type` says otherwise.

    `peer` is the Ethernet address that an `emit` goes to.
    """
    if ether_type is None:
        ether_type = _family(packet).ether_type
    ethernet = _ETHERNET.pack(LEAD, action, flags, port, MARKER, peer, ether_type)
    return b"".join((_NO_OFFLOAD, ethernet, packet))
