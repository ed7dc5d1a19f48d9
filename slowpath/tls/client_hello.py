"""The ClientHello: which server name and which application protocols a TLS client asks for (RFC 8446 section 4.1.2).

What is not asked for by rules is passed over, so that versions, cipher suites and extensions of the
future, GREASE (RFC 8701) and Encrypted ClientHello make no difference: with the latter the outer
server name is the one that is seen, and meant to be routed by.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from slowpath.tls.vectors import Fields, Malformed

_SERVER_NAME, _ALPN = 0, 16  # RFC 6066 section 3, RFC 7301 section 3.1
_HOST_NAME = 0
_NAME = re.compile(rb"[A-Za-z0-9_.:-]+")
_U8, _U16 = 0xFF, 0xFFFF


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What a ClientHello asks for, as a request.

    `host` is the server name in lower case without trailing dot, "" if there is none; `alpn` the
    protocols offered, in the client's order. `length` counts the bytes of the stream up to the end
    of the record in which the message ends.
    """

    host: str
    alpn: tuple[str, ...]
    length: int

    path = target = method = ""

    def values(self, name: str) -> Sequence[str]:
        """None: header fields are encrypted."""
        return ()


def parse(message: bytes, length: int) -> ClientHello:
    """The ClientHello of a handshake message without its header; raises Malformed.

    `length` is the hello's `length`.
    """
    fields = Fields(message, "the ClientHello")
    fields.take(2 + 32)  # legacy_version, random
    fields.vector(1, 0, 32)  # legacy_session_id
    if len(fields.vector(2, 2, _U16 - 1)) % 2:
        raise Malformed("the ClientHello has half a cipher suite")
    fields.vector(1, 1, _U8)  # legacy_compression_methods
    # Before TLS 1.3 the extensions as a whole are optional (RFC 5246 section 7.4.1.2).
    extensions = _extensions(fields.vector(2, 0, _U16)) if fields else {}
    fields.end()
    names, protocols = extensions.get(_SERVER_NAME), extensions.get(_ALPN)
    return ClientHello(
        host="" if names is None else _server_name(names),
        alpn=() if protocols is None else _protocols(protocols),
        length=length,
    )


def _extensions(data: bytes) -> dict[int, bytes]:
    """Contents by type; a type may occur once (RFC 8446 section 4.2)."""
    fields = Fields(data, "the list of extensions")
    extensions: dict[int, bytes] = {}
    while fields:
        kind = fields.number(2)
        if kind in extensions:
            raise Malformed(f"the extension {kind} occurs twice")
        extensions[kind] = fields.vector(2, 0, _U16)
    return extensions


def _server_name(extension: bytes) -> str:
    """The name of type host_name (RFC 6066 section 3), "" if all are of other types."""
    fields = Fields(extension, "the extension server_name")
    names = Fields(fields.vector(2, 1, _U16), "the list of server names")
    fields.end()
    found: bytes | None = None
    while names:
        kind = names.number(1)
        name = names.vector(2, 1, _U16)
        if kind != _HOST_NAME:
            continue
        if found is not None:
            raise Malformed("there are two server names of one type")
        if not _NAME.fullmatch(name):
            raise Malformed("the server name is not a host name")
        found = name
    return (found or b"").decode("ascii").lower().removesuffix(".")


def _protocols(extension: bytes) -> tuple[str, ...]:
    """The names of a ProtocolNameList (RFC 7301 section 3.1); bytes beyond ASCII are those of ISO 8859-1."""
    fields = Fields(extension, "the extension application_layer_protocol_negotiation")
    listed = Fields(fields.vector(2, 2, _U16), "the list of application protocols")
    fields.end()
    names = []
    while listed:
        names.append(listed.vector(1, 1, _U8).decode("latin-1"))
    return tuple(names)
