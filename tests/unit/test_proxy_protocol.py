"""The PROXY protocol's header, against the examples and tables of its specification."""

from __future__ import annotations

import pytest

from slowpath.proxy_protocol import Version, header, local
from slowpath.wire.endpoint import Endpoint

V4 = Endpoint.parse("192.168.0.1:56324"), Endpoint.parse("192.168.0.11:443")
V6 = Endpoint.parse("[2001:db8::1]:56324"), Endpoint.parse("[2001:db8:0:1::11]:443")
SIGNATURE = bytes.fromhex("0d0a0d0a000d0a515549540a")


def test_version_1_is_a_line_of_text() -> None:
    assert header(Version.V1, *V4) == b"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"
    assert header(Version.V1, *V6) == b"PROXY TCP6 2001:db8::1 2001:db8:0:1::11 56324 443\r\n"


def test_version_1_is_never_longer_than_servers_expect() -> None:
    longest = Endpoint(b"\xff" * 16, 65535)
    assert len(header(Version.V1, longest, longest)) <= 107


def test_version_2_is_binary() -> None:
    assert header(Version.V2, *V4) == (
        SIGNATURE + bytes.fromhex("21 11 000c") + bytes([192, 168, 0, 1, 192, 168, 0, 11]) + bytes.fromhex("dc04 01bb")
    )
    assert header(Version.V2, *V6) == (
        SIGNATURE + bytes.fromhex("21 21 0024") + V6[0].address + V6[1].address + bytes.fromhex("dc04 01bb")
    )


@pytest.mark.parametrize(
    ("version", "expected"),
    [(Version.V1, b"PROXY UNKNOWN\r\n"), (Version.V2, SIGNATURE + bytes.fromhex("20 00 0000"))],
)
def test_a_connection_of_our_own_stands_for_no_client(version: Version, expected: bytes) -> None:
    assert local(version) == expected
