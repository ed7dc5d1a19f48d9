"""Work that a sender leaves to its interface: what a frame from a packet socket still lacks."""

from __future__ import annotations

import struct

HEADER = struct.Struct("=BBHHHH")
"""virtio_net_hdr, in the machine's byte order: flags, GSO type, header length, GSO size, checksum start and offset."""
NO_OFFLOADS = bytes(HEADER.size)
"""The header of a frame that is complete."""

_NEEDS_CHECKSUM = 1


class SegmentationOffload(Exception):
    """The frame is several packets in one, which no wire would carry."""


def complete(data: memoryview) -> bytes:
    """The frame behind a virtio_net_hdr, with its checksum filled in where that was left to the interface.

    Raises SegmentationOffload for a frame that an interface would have to segment.
    """
    flags, segmentation, _, _, start, offset = HEADER.unpack_from(data)
    if segmentation:
        raise SegmentationOffload(f"{len(data) - HEADER.size} bytes")
    frame = data[HEADER.size :]
    place = start + offset
    if not flags & _NEEDS_CHECKSUM or place + 2 > len(frame):
        return bytes(frame)
    completed = bytearray(frame)
    # The field holds the sum of the pseudo-header; 0 is sent as its other form, as the kernel does.
    completed[place : place + 2] = (_checksum(frame[start:]) or 0xFFFF).to_bytes(2)
    return bytes(completed)


def _checksum(data: memoryview) -> int:
    """The Internet checksum (RFC 1071)."""
    words = bytes(data) + bytes(len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(words) // 2}H", words))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF
