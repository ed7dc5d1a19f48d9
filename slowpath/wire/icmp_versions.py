"""What an ICMP error is in the other IP version (RFC 7915 sections 4.2 and 5.2): type, code and parameter."""

from __future__ import annotations

from typing import NamedTuple

from slowpath.wire import icmp
from slowpath.wire.icmp import Error
from slowpath.wire.ip import IPV4, IPV6

_GROWTH = IPV6.length - IPV4.length
"""By how many bytes an IPv6 packet is longer than the IPv4 packet with the same TCP segment."""

_NEXT_HEADER6 = 6
"""Where the fixed IPv6 header has the number of what follows it, in bytes."""

_PLATEAUS = (65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68)
"""MTUs that there are, for routers that do not tell theirs (RFC 1191 section 7)."""


class Kind(NamedTuple):
    """The first two fields of an error."""

    type: int
    code: int


_NO_ROUTE, _PROHIBITED, _PORT = (Kind(icmp.DESTINATION_UNREACHABLE6, code) for code in (0, 1, 4))
_UNKNOWN_NEXT_HEADER = Kind(icmp.PARAMETER_PROBLEM6, 1)
_BAD_FIELD6 = Kind(icmp.PARAMETER_PROBLEM6, 0)
_HOST, _PROTOCOL, _PORT4, _PROHIBITED4 = (Kind(icmp.DESTINATION_UNREACHABLE, code) for code in (1, 2, 3, 10))
_BAD_FIELD4 = Kind(icmp.PARAMETER_PROBLEM, 0)
_TOO_LONG4 = Kind(icmp.DESTINATION_UNREACHABLE, icmp.FRAGMENTATION_NEEDED)
_TOO_LONG6 = Kind(icmp.PACKET_TOO_BIG6, 0)

_UNREACHABLE_TO_IPV6 = {
    **dict.fromkeys((0, 1, 5, 6, 7, 8, 11, 12), _NO_ROUTE),
    **dict.fromkeys((9, 10, 13, 15), _PROHIBITED),
    2: _UNKNOWN_NEXT_HEADER,
    3: _PORT,
    4: _TOO_LONG6,
}
"""By the code of ICMP's destination unreachable; what is missing has no counterpart."""

_TO_IPV6 = {
    **{Kind(icmp.DESTINATION_UNREACHABLE, code): kind for code, kind in _UNREACHABLE_TO_IPV6.items()},
    **{Kind(icmp.TIME_EXCEEDED, code): Kind(icmp.TIME_EXCEEDED6, code) for code in (0, 1)},
    **dict.fromkeys((_BAD_FIELD4, Kind(icmp.PARAMETER_PROBLEM, 2)), _BAD_FIELD6),
}

_TO_IPV4 = {
    **{Kind(icmp.DESTINATION_UNREACHABLE6, code): _HOST for code in (0, 2, 3)},
    _PROHIBITED: _PROHIBITED4,
    _PORT: _PORT4,
    _TOO_LONG6: _TOO_LONG4,
    **{Kind(icmp.TIME_EXCEEDED6, code): Kind(icmp.TIME_EXCEEDED, code) for code in (0, 1)},
    _BAD_FIELD6: _BAD_FIELD4,
    _UNKNOWN_NEXT_HEADER: _PROTOCOL,
}

_POINTER_TO_IPV6 = {
    0: 0,
    1: 1,
    2: 4,
    3: 4,
    8: 7,
    9: 6,
    **dict.fromkeys(range(12, 16), 8),
    **dict.fromkeys(range(16, 20), 24),
}
_POINTER_TO_IPV4 = {
    **{0: 0, 1: 1, 4: 2, 5: 2, 6: 9, 7: 8},
    **dict.fromkeys(range(8, 24), 12),
    **dict.fromkeys(range(24, 40), 16),
}
"""Which field of the fixed header is the other one's counterpart, in bytes from its version byte on."""


class Counterpart(NamedTuple):
    """Type, code and parameter of an error in the other IP version."""

    type: int
    code: int
    parameter: int


def counterpart(error: Error) -> Counterpart | None:
    """What becomes of `error` when the packet that it is about had the other IP version before; None for nothing."""
    kinds = _TO_IPV6 if error.family is IPV4 else _TO_IPV4
    kind = kinds.get(Kind(error.type, error.code))
    if kind is None:
        return None
    parameter = _parameter(error, kind)
    return None if parameter is None else Counterpart(*kind, parameter)


def _parameter(error: Error, kind: Kind) -> int | None:
    if kind == _TOO_LONG6:
        return (error.mtu or _plateau(error)) + _GROWTH
    if kind == _TOO_LONG4:
        return max(min(error.parameter, 0xFFFF) - _GROWTH, 0)
    if kind == _UNKNOWN_NEXT_HEADER:
        return _NEXT_HEADER6
    if kind == _BAD_FIELD6:
        return _POINTER_TO_IPV6.get(error.parameter >> 24)
    if kind == _BAD_FIELD4:
        pointer = _POINTER_TO_IPV4.get(error.parameter)
        return None if pointer is None else pointer << 24
    return 0


def _plateau(error: Error) -> int:
    """The largest of the usual MTUs that is less than the length of the packet in `error`."""
    length = int.from_bytes(error.quote[2:4], "big")
    return next((mtu for mtu in _PLATEAUS if mtu < length), _PLATEAUS[-1])


def without_extensions(error: Error) -> bytes:
    """The quote of `error` without what RFC 4884 lets follow it, which has no place in the other IP version."""
    if error.family is IPV4:
        length = (error.parameter >> 16 & 0xFF) * 4
    else:
        has_length = error.type in (icmp.DESTINATION_UNREACHABLE6, icmp.TIME_EXCEEDED6)
        length = (error.parameter >> 24) * 8 if has_length else 0
    return error.quote[:length] if length else error.quote
