"""ClientHellos to read: made of their fields, and made by OpenSSL."""

from __future__ import annotations

import ssl

SERVER_NAME, ALPN = 0, 16
GREASE = (0x0A0A, 0x1A1A, 0xFAFA)  # RFC 8701 section 2
ENCRYPTED_CLIENT_HELLO = 0xFE0D


def vector(size: int, content: bytes) -> bytes:
    return len(content).to_bytes(size, "big") + content


def extension(kind: int, content: bytes) -> bytes:
    return kind.to_bytes(2, "big") + vector(2, content)


def server_name(name: str, kind: int = 0) -> bytes:
    """The extension with one name."""
    return extension(SERVER_NAME, vector(2, bytes([kind]) + vector(2, name.encode("latin-1"))))


def alpn(*names: str) -> bytes:
    """The extension with these protocols."""
    return extension(ALPN, vector(2, b"".join(vector(1, name.encode("latin-1")) for name in names)))


def body(*extensions: bytes, session: bytes = b"", suites: bytes = b"\x13\x01", tail: bytes = b"") -> bytes:
    """A ClientHello without the header of the handshake message."""
    listed = vector(2, b"".join(extensions))
    return b"\x03\x03" + bytes(32) + vector(1, session) + vector(2, suites) + b"\x01\x00" + listed + tail


def message(content: bytes, kind: int = 1) -> bytes:
    """A handshake message."""
    return bytes([kind]) + vector(3, content)


def records(data: bytes, fragment: int = 1 << 14) -> bytes:
    """Handshake records of at most `fragment` bytes each."""
    return b"".join(
        b"\x16\x03\x01" + vector(2, data[start : start + fragment]) for start in range(0, len(data), fragment)
    )


def hello(*extensions: bytes) -> bytes:
    """The stream of a client."""
    return records(message(body(*extensions)))


def openssl(
    name: str | None, *protocols: str, least: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2, greatest: ssl.TLSVersion
) -> bytes:
    """What OpenSSL sends first."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version, context.maximum_version = least, greatest
    if protocols:
        context.set_alpn_protocols(list(protocols))
    sent = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return sent.read()
    raise AssertionError("a handshake without a server")
