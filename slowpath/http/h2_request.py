"""The request of an HTTP/2 header block: its pseudo-header fields, and the others (RFC 9113 section 8.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from slowpath.http.head import host_of

_PSEUDO = (":method", ":scheme", ":authority", ":path", ":protocol")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")  # RFC 9113 section 8.2
_VALUE = re.compile(r"[^\0\r\n]*")  # section 8.2.1
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PATH = re.compile(r"/[^\0-\x20#\x7f]*|\*")  # section 8.3.1; a fragment is refused as in HTTP/1.x


class MalformedRequest(ValueError):
    """The fields are not those of one request; the text says why."""


@dataclass(frozen=True, slots=True)
class Http2Request:
    """The first request of an HTTP/2 connection.

    `method`, `path`, `host` and `values` are those of a `RequestHead`; `target` is the path with its query, or
    the authority of CONNECT. `length` counts the bytes of the stream that were read: at least up to the
    end of the header block.
    """

    method: str
    target: str
    path: str
    host: str
    length: int
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    edited: bytes | None = None
    """What a server gets in the place of those bytes, if it is not the same."""

    @property
    def alpn(self) -> Sequence[str]:
        """None: they belong to TLS."""
        return ()

    def values(self, name: str) -> Sequence[str]:
        """The values of every header field called `name`, in any case; empty if there is none."""
        return self.headers.get(name.lower(), ())


def request(fields: Iterable[tuple[str, str]], length: int) -> Http2Request:
    """The request with these fields, in their order; raises MalformedRequest, or Refused for a malformed host."""
    pseudo: dict[str, str] = {}
    headers: dict[str, tuple[str, ...]] = {}
    for name, value in fields:
        if not _VALUE.fullmatch(value):
            raise MalformedRequest(f"the value of {name!r} has a character that no field has")
        if name.startswith(":"):
            if headers or name in pseudo or name not in _PSEUDO:
                raise MalformedRequest(f"the pseudo-header field {name!r} is unknown, repeated or behind another field")
            pseudo[name] = value
        elif not _NAME.fullmatch(name):
            raise MalformedRequest(f"the field name {name!r} is no token in lower case")
        else:
            headers[name] = (*headers.get(name, ()), value)
    method, target = pseudo.get(":method", ""), pseudo.get(":path", "")
    # Section 8.5: CONNECT has no path, unless it is extended (RFC 8441).
    plain_connect = method == "CONNECT" and ":protocol" not in pseudo
    if not _METHOD.fullmatch(method) or (target if plain_connect else not _PATH.fullmatch(target)):
        raise MalformedRequest("the pseudo-header fields are not those of a request")
    hosts = headers.get("host", ())
    authority = pseudo.get(":authority", hosts[0] if hosts else "")
    if any(host_of(host) != host_of(authority) for host in hosts):
        raise MalformedRequest("Host and :authority differ")
    path = "" if plain_connect else target.partition("?")[0]
    return Http2Request(method, authority if plain_connect else target, path, host_of(authority), length, headers)
