"""An entry as a line of text: JSON, or the combined format of web servers."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from slowpath.accesslog.entry import Entry
from slowpath.wire.endpoint import Endpoint

Format = Callable[[Entry, float], str]
"""Makes the line, without line end, of an entry and its time, in seconds since 1970."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNSAFE = re.compile(r"[^ !#-\[\]-~]")
"""What is not printable ASCII, and quotes and backslashes."""
_ENCODE = json.JSONEncoder(separators=(",", ":")).encode


def json_line(entry: Entry, time: float) -> str:
    """An object of one line, in ASCII: control characters and all others are escaped (RFC 8259 section 7)."""
    return _ENCODE(
        {
            "time": datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "client": str(entry.client),
            "vip": _text(entry.vip),
            "listener": entry.listener,
            "protocol": entry.protocol,
            "method": entry.method or None,
            "target": entry.target or None,
            "host": entry.host or None,
            "version": entry.version or None,
            "referer": entry.referer or None,
            "user_agent": entry.user_agent or None,
            "request_id": entry.request_id or None,
            "pool": entry.pool or None,
            "server": _server(entry.server),
            "status": entry.status,
            "bytes_in": entry.bytes_in,
            "bytes_out": entry.bytes_out,
            "packets_in": entry.packets_in,
            "packets_out": entry.packets_out,
            "connect": _rounded(entry.connect),
            "duration": _rounded(entry.duration),
            "ended": entry.ended.value,
        }
    )


def combined_line(entry: Entry, time: float) -> str:
    """The combined format, then pool, server, bytes of the client's, connect time, duration and end.

    `-` stands for what is not known. Within quotes, quotes, backslashes and what is not printable ASCII
    are written as `\\xHH` of their UTF-8 bytes, as nginx does.
    """
    # Not strftime: the names of months depend on the locale there.
    moment = datetime.fromtimestamp(time, UTC)
    date = f"{moment.day:02d}/{_MONTHS[moment.month - 1]}/{moment:%Y:%H:%M:%S} +0000"
    version = f"HTTP/{entry.version}" if entry.version else ""
    line = " ".join(filter(None, (entry.method, entry.target, version)))
    return (
        f"{ipaddress.ip_address(entry.client.address)} - - [{date}] {_quoted(line)} {_or_dash(entry.status)} "
        f"{_or_dash(entry.bytes_out)} {_quoted(entry.referer)} {_quoted(entry.user_agent)} "
        f"{entry.pool or '-'} {_server(entry.server) or '-'} {_or_dash(entry.bytes_in)} "
        f"{_or_dash(_rounded(entry.connect))} {_or_dash(_rounded(entry.duration))} {entry.ended.value}"
    )


FORMATS: dict[str, Format] = {"json": json_line, "combined": combined_line}
"""By their names in the configuration."""


@lru_cache(4096)
def _text(endpoint: Endpoint) -> str:
    """The text of a listener's or a server's address, of which there are few."""
    return str(endpoint)


def _server(server: Endpoint | None) -> str | None:
    return None if server is None else _text(server)


def _rounded(seconds: float | None) -> float | None:
    """To microseconds."""
    return None if seconds is None else round(seconds, 6)


def _or_dash(value: float | None) -> str:
    return "-" if value is None else f"{value}"


def _quoted(text: str) -> str:
    return f'"{_UNSAFE.sub(_escaped, text) or "-"}"'


def _escaped(match: re.Match[str]) -> str:
    return "".join(f"\\x{byte:02X}" for byte in match[0].encode(errors="replace"))
