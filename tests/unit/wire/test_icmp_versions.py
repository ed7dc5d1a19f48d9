"""The tables of RFC 7915 sections 4.2 and 5.2, and what RFC 4884 lets follow a quote."""

from __future__ import annotations

import pytest

from slowpath.wire.icmp import Error
from slowpath.wire.icmp_versions import counterpart, without_extensions

_QUOTE4 = b"\x45\0\x05\xdc" + bytes(200)
_QUOTE6 = b"\x60" + bytes(300)


def _to_ipv6(kind: int, code: int, parameter: int = 0) -> tuple[int, int, int] | None:
    return counterpart(Error(bytes(4), bytes(4), kind, code, parameter, _QUOTE4))


def _to_ipv4(kind: int, code: int, parameter: int = 0) -> tuple[int, int, int] | None:
    return counterpart(Error(bytes(16), bytes(16), kind, code, parameter, _QUOTE6))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *((code, (1, 0, 0)) for code in (0, 1, 5, 6, 7, 8, 11, 12)),
        *((code, (1, 1, 0)) for code in (9, 10, 13, 15)),
        (2, (4, 1, 6)),
        (3, (1, 4, 0)),
        (14, None),
        (16, None),
    ],
)
def test_destination_unreachable_to_ipv6(code: int, kind: tuple[int, int, int] | None) -> None:
    assert _to_ipv6(3, code) == kind


@pytest.mark.parametrize(
    ("code", "kind"), [(0, (3, 1, 0)), (1, (3, 10, 0)), (2, (3, 1, 0)), (3, (3, 1, 0)), (4, (3, 3, 0)), (5, None)]
)
def test_destination_unreachable_to_ipv4(code: int, kind: tuple[int, int, int] | None) -> None:
    assert _to_ipv4(1, code) == kind


@pytest.mark.parametrize("code", [0, 1])
def test_time_exceeded(code: int) -> None:
    assert _to_ipv6(11, code) == (3, code, 0)
    assert _to_ipv4(3, code) == (11, code, 0)


def test_the_mtu_is_that_of_the_packet_as_it_was() -> None:
    assert _to_ipv6(3, 4, 1300) == (2, 0, 1320)
    assert _to_ipv6(3, 4, 0x2000_0514) == (2, 0, 1320)
    assert _to_ipv4(2, 0, 1300) == (3, 4, 1280)
    assert _to_ipv4(2, 0, 1 << 20) == (3, 4, 65515)


def test_a_router_that_tells_no_mtu_means_the_next_plateau() -> None:
    assert _to_ipv6(3, 4, 0) == (2, 0, 1492 + 20)


@pytest.mark.parametrize(
    ("ipv4", "ipv6"), [(0, 0), (1, 1), (2, 4), (3, 4), (8, 7), (9, 6), (12, 8), (15, 8), (16, 24), (19, 24)]
)
def test_pointers_to_ipv6(ipv4: int, ipv6: int) -> None:
    assert _to_ipv6(12, 0, ipv4 << 24) == (4, 0, ipv6)
    assert _to_ipv6(12, 2, ipv4 << 24) == (4, 0, ipv6)


@pytest.mark.parametrize(
    ("ipv6", "ipv4"), [(0, 0), (1, 1), (4, 2), (5, 2), (6, 9), (7, 8), (8, 12), (23, 12), (24, 16), (39, 16)]
)
def test_pointers_to_ipv4(ipv6: int, ipv4: int) -> None:
    assert _to_ipv4(4, 0, ipv6) == (12, 0, ipv4 << 24)


def test_what_has_no_counterpart_is_nothing() -> None:
    assert {_to_ipv6(12, 0, pointer << 24) for pointer in (4, 5, 6, 7, 10, 11, 20)} == {None}
    assert {_to_ipv4(4, 0, pointer) for pointer in (2, 3, 40)} == {None}
    assert _to_ipv6(12, 1) is None
    assert _to_ipv4(4, 2) is None
    assert _to_ipv4(4, 1, 6) == (3, 2, 0)


def test_extensions_are_cut_off() -> None:
    assert without_extensions(Error(bytes(4), bytes(4), 3, 4, 32 << 16 | 1300, _QUOTE4)) == _QUOTE4[:128]
    assert without_extensions(Error(bytes(4), bytes(4), 3, 4, 1300, _QUOTE4)) == _QUOTE4
    assert without_extensions(Error(bytes(16), bytes(16), 3, 0, 16 << 24, _QUOTE6)) == _QUOTE6[:128]
    assert without_extensions(Error(bytes(16), bytes(16), 2, 0, 0x1000_0000, _QUOTE6)) == _QUOTE6
