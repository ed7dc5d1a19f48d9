"""ICMP errors of both versions, against packets written down by hand."""

from __future__ import annotations

import pytest

from slowpath.wire import icmp
from slowpath.wire.icmp import Error
from tests.conformance.packets import Tcp, full_checksum, nops
from tests.conformance.vectors.icmp import error, error_packet
from tests.conformance.vectors.ipv6_model import UP6_LEFT
from tests.conformance.vectors.model import UP_LEFT

_ROUTER, _CLIENT = bytes((10, 2, 0, 99)), bytes((10, 1, 0, 2))
_QUOTE = bytes.fromhex("4500059c1c4640003f06ffff0a0100020a0200029c401f90000003e8")
"""From 10.1.0.2:40000 to 10.2.0.2:8080, SEQ 1000; of TCP the least that there must be."""
_TOO_LONG = bytes.fromhex("45000038000040004001") + bytes(2) + _ROUTER + _CLIENT
_MESSAGE = bytes.fromhex("0304") + bytes(4) + bytes.fromhex("0514") + _QUOTE
_UP, _UP6 = UP_LEFT.packet(), UP6_LEFT.packet()


def _whole(header: bytes, message: bytes) -> bytes:
    header = header[:10] + full_checksum(header) + header[12:]
    return header + message[:2] + full_checksum(message) + message[4:]


def test_fragmentation_needed_is_read() -> None:
    read = icmp.parse(_whole(_TOO_LONG, _MESSAGE) + b"padding")
    assert read == Error(_ROUTER, _CLIENT, 3, 4, 1300, _QUOTE)
    assert read is not None and read.mtu == 1300
    found = icmp.quoted(read)
    assert found is not None
    assert (str(found.source), str(found.destination)) == ("10.1.0.2:40000", "10.2.0.2:8080")
    assert (found.sequence, found.start) == (1000, 20)


def test_fragmentation_needed_is_written() -> None:
    assert icmp.build(Error(_ROUTER, _CLIENT, 3, 4, 1300, _QUOTE)) == _whole(_TOO_LONG, _MESSAGE)


@pytest.mark.parametrize("quote", [_UP, _UP6, _UP6 + b"odd"], ids=["IPv4", "IPv6", "odd"])
def test_what_is_written_is_read(quote: bytes) -> None:
    source = quote[24:40] if quote[0] >> 4 == 6 else quote[16:20]
    made = icmp.too_long(source, quote, 1280)
    assert icmp.parse(icmp.build(made)) == made
    assert made.mtu == 1280


@pytest.mark.parametrize(("packet", "longest"), [(UP_LEFT, 576), (UP6_LEFT, 1280)], ids=["IPv4", "IPv6"])
def test_errors_are_no_longer_than_they_may_be(packet: Tcp, longest: int) -> None:
    long = Tcp(source=packet.source, destination=packet.destination, payload=bytes(9000)).packet()
    built = icmp.build(icmp.too_long(packet.destination.address, long, 1280))
    assert len(built) == longest
    assert icmp.parse(built) is not None


def test_a_wrong_checksum_is_refused_unless_somebody_vouches_for_it() -> None:
    for wrong in (error(_UP, wrong=1), error(_UP6, 2, wrong=1)):
        assert icmp.parse(error_packet(wrong)) is None
        assert icmp.parse(error_packet(wrong), checksum_known=True) is not None


def test_the_pseudo_header_is_in_the_checksum_of_icmpv6() -> None:
    packet = error_packet(error(_UP6, 2))
    assert icmp.parse(packet) is not None
    moved = packet[:23] + bytes((packet[23] ^ 1,)) + packet[24:]
    assert icmp.parse(moved) is None


@pytest.mark.parametrize("cut", [0, 1, 19, 20, 27, 47, 55])
def test_what_ends_early_is_refused(cut: int) -> None:
    assert icmp.parse(_whole(_TOO_LONG, _MESSAGE)[:cut]) is None


def test_only_errors_that_are_about_length_have_an_mtu() -> None:
    assert Error(_ROUTER, _CLIENT, 3, 1, 1300, _QUOTE).mtu is None
    assert Error(_ROUTER, _CLIENT, 11, 4, 1300, _QUOTE).mtu is None
    assert Error(bytes(16), bytes(16), 1, 0, 1300, _UP6).mtu is None
    assert Error(_ROUTER, _CLIENT, 3, 4, 0x2000_0514, _QUOTE).mtu == 0x514


def test_ipv4_options_in_the_quote_are_read_over() -> None:
    quote = Tcp(source=UP_LEFT.source, destination=UP_LEFT.destination, ip_options=nops(8)).packet()
    found = icmp.quoted(Error(_ROUTER, _CLIENT, 3, 4, 1300, quote))
    assert found is not None and (found.start, found.source) == (28, UP_LEFT.source)


@pytest.mark.parametrize("quote", [b"", _UP[:27], b"\x46" + _UP[1:28], b"\x65" + _UP[1:], b"\x41" + _UP[1:]])
def test_quotes_that_show_too_little_are_refused(quote: bytes) -> None:
    assert icmp.quoted(Error(_ROUTER, _CLIENT, 3, 4, 1300, quote)) is None
