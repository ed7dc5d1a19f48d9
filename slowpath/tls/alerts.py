"""Alerts: what a TLS client is told before its connection is closed (RFC 8446 section 6)."""

from __future__ import annotations

import struct
from enum import IntEnum

_CONTENT_TYPE = 21
_RECORD_VERSION = 0x0303  # RFC 8446 section 5.1: whatever the version that would have been negotiated
_FATAL = 2


class Alert(IntEnum):
    """The descriptions of alerts that end a handshake before a server takes part in it."""

    UNEXPECTED_MESSAGE = 10
    HANDSHAKE_FAILURE = 40
    DECODE_ERROR = 50
    PROTOCOL_VERSION = 70
    INTERNAL_ERROR = 80
    MISSING_EXTENSION = 109
    """No server name where one is needed (RFC 8446 section 9.2)."""
    UNRECOGNIZED_NAME = 112
    """A server name that is not served (RFC 6066 section 3)."""


def fatal(alert: Alert) -> bytes:
    """The record of a fatal alert, in plain text."""
    return struct.pack("!BHHBB", _CONTENT_TYPE, _RECORD_VERSION, 2, _FATAL, alert)
