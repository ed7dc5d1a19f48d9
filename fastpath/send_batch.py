"""Sending many frames with one system call (sendmmsg(2))."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from collections.abc import Sequence

_PER_CALL = 64
"""Frames in one call: a call costs nothing to speak of among so many, and as many are kept until they are replaced."""
_NO_ROOM = frozenset({errno.EAGAIN, errno.ENOBUFS})


class _Header(ctypes.Structure):
    """struct msghdr."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint),
        ("vectors", ctypes.c_void_p),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):
    """struct mmsghdr."""

    _fields_ = (("header", _Header), ("sent", ctypes.c_uint))


class SendBatch:
    """The sending side of `sender`, a nonblocking datagram or packet socket that stays open meanwhile."""

    def __init__(self, sender: socket.socket) -> None:
        self._sender = sender
        # A struct iovec is two words: where a frame is, and its length.
        self._starts = (ctypes.c_char_p * (2 * _PER_CALL))()
        self._lengths = memoryview(self._starts).cast("B").cast("L")[1::2]
        self._messages = (_Message * _PER_CALL)()
        for number, message in enumerate(self._messages):
            message.header.vectors = ctypes.addressof(self._starts) + number * 2 * ctypes.sizeof(ctypes.c_char_p)
            message.header.vector_count = 1
        self._sendmmsg = ctypes.CDLL(None, use_errno=True).sendmmsg
        self._sendmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)

    def send(self, frames: Sequence[bytes]) -> int:
        """Send frames in order; returns how many of them found no room. Raises OSError for every other failure."""
        if len(frames) == 1:
            return self._send_one(frames[0])
        failures = 0
        for first in range(0, len(frames), _PER_CALL):
            failures += self._send_some(frames[first : first + _PER_CALL])
        return failures

    def _send_one(self, frame: bytes) -> int:
        # Here the arrays cost more than they save.
        try:
            self._sender.send(frame)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            return 1
        return 0

    def _send_some(self, frames: Sequence[bytes]) -> int:
        starts, lengths = self._starts, self._lengths
        for number, frame in enumerate(frames):
            starts[2 * number] = frame
            lengths[number] = len(frame)
        descriptor, size = self._sender.fileno(), ctypes.sizeof(_Message)
        done = failures = 0
        while done < len(frames):
            sent = self._sendmmsg(descriptor, ctypes.byref(self._messages, done * size), len(frames) - done, 0)
            if sent < 0:
                # Of the first of them; there may be room for the next one by now.
                number = ctypes.get_errno()
                if number not in _NO_ROOM:
                    raise OSError(number, os.strerror(number))
                failures += 1
                sent = 1
            done += sent
        return failures
