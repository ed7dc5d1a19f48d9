"""Receiving from a packet socket through memory that the kernel writes frames to (packet_mmap(7), TPACKET_V2).

Slots of one size each hold a struct tpacket2_hdr, in host byte order, and the frame with its virtio_net_hdr before
it. A frame that is too long for its slot is queued to the socket, too, so the slots stay small and whole GSO
super-packets still get through. The third version of the interface has no slots to waste, but hands its blocks over
when they are full or by a timer of a millisecond or more, which each single packet would wait for.
"""

from __future__ import annotations

import mmap
import socket
import struct
import threading

SOL_PACKET = 263

_PACKET_RX_RING, _PACKET_COPY_THRESH, _PACKET_VERSION = 5, 7, 10
_TPACKET_V2 = 1
_REQUEST = struct.Struct("=IIII")
"""struct tpacket_req: bytes of a block, blocks, bytes of a slot, slots."""
_STATUS_KERNEL, _STATUS_USER, _STATUS_COPY = 0, 1, 2
_STATUS, _LENGTH, _STORED = 0, 1, 2
"""Words of a header: whose the slot is, the frame's bytes, and how many of them are in the slot."""
_START = 6
"""The half of a word that says where in the slot the Ethernet header begins."""

_SLOT = 2048
"""Bytes: two slots to a page of memory, and a frame of the usual MTU with its headers fits in one."""
_BLOCK = 128 << 10
"""Bytes that are contiguous in memory: of every page size that there is, a multiple."""
_OFFLOAD = 10
"""Bytes of the virtio_net_hdr."""
_LONGEST = _OFFLOAD + 14 + 65535
"""Bytes of the longest frame."""


class ReceiveRing:
    """The receiving side of `receiver`, a nonblocking packet socket with PACKET_VNET_HDR that is not yet bound.

    `slots` (a multiple of 64) bound the frames that wait; SO_RCVBUF bounds those among them that are too long for a
    slot. The socket is readable while a frame waits. Raises OSError for a kernel that refuses the ring.
    """

    def __init__(self, receiver: socket.socket, slots: int) -> None:
        receiver.setsockopt(SOL_PACKET, _PACKET_VERSION, _TPACKET_V2)
        receiver.setsockopt(SOL_PACKET, _PACKET_COPY_THRESH, 1)
        request = _REQUEST.pack(_BLOCK, slots * _SLOT // _BLOCK, _SLOT, slots)
        receiver.setsockopt(SOL_PACKET, _PACKET_RX_RING, request)
        self._receiver, self._slots = receiver, slots
        self._memory = mmap.mmap(receiver.fileno(), slots * _SLOT)
        self._bytes = memoryview(self._memory)
        words, halves = self._bytes.cast("I"), self._bytes.cast("H")
        # A field of all slots, each.
        self._statuses, self._lengths, self._stored = (words[at :: _SLOT // 4] for at in (_STATUS, _LENGTH, _STORED))
        self._starts = halves[_START :: _SLOT // 2]
        self._views = (self._statuses, self._lengths, self._stored, self._starts, words, halves, self._bytes)
        self._next = 0
        self._order = threading.Lock()
        self._order.acquire()
        self._long = memoryview(bytearray(_LONGEST))
        self.lost = 0
        """Frames that took a slot and could not be received whole."""

    def take(self, limit: int) -> list[bytes]:
        """Up to `limit` frames that have arrived, in order, each with its virtio_net_hdr; raises OSError."""
        statuses, number = self._statuses, self._next
        ready: list[int] = []
        while len(ready) < limit and statuses[number] & _STATUS_USER and len(ready) < self._slots:
            ready.append(number)
            number = number + 1 if number + 1 < self._slots else 0
        frames: list[bytes] = []
        if not ready:
            return frames
        content, lengths, stored, starts = self._bytes, self._lengths, self._stored, self._starts
        self._fence()  # The frames are read after their statuses,
        for slot in ready:
            if lengths[slot] == stored[slot]:
                start = slot * _SLOT + starts[slot]
                frames.append(content[start - _OFFLOAD : start + stored[slot]].tobytes())
            elif statuses[slot] & _STATUS_COPY:
                self._take_long(frames)
            else:
                self.lost += 1
        self._fence()  # and before their slots are given back.
        for slot in ready:
            statuses[slot] = _STATUS_KERNEL
        self._next = number
        return frames

    def _fence(self) -> None:
        """Let no processor do what follows before what came before: releasing and taking a lock orders that on all."""
        self._order.release()
        self._order.acquire()

    def _take_long(self, frames: list[bytes]) -> None:
        frames.append(self._long[: self._receiver.recv_into(self._long)].tobytes())

    def close(self) -> None:
        """Give the memory back; idempotent. The socket is the owner's to close."""
        for view in self._views:
            view.release()
        self._memory.close()
