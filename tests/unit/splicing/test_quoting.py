"""Errors about translated packets: what their senders get, against packets whose checksums are computed in full."""

from __future__ import annotations

import pytest

from fastpath.records import Direction, Splice
from slowpath.splicing.quoting import own_address, translated
from slowpath.wire import icmp
from slowpath.wire.icmp import Error
from tests.conformance.packets import RST, Tcp
from tests.conformance.vectors.ipv6_model import FOUR_TO_SIX, PLAIN6, SIX_TO_FOUR, SNATTED6
from tests.conformance.vectors.model import PLAIN, SNATTED

_SPLICES = {
    "4 to 4": PLAIN,
    "4 to 4, SNAT": SNATTED,
    "6 to 6": PLAIN6,
    "6 to 6, SNAT": SNATTED6,
    "6 to 4": SIX_TO_FOUR,
    "4 to 6": FOUR_TO_SIX,
}
_splices = pytest.mark.parametrize("splice", _SPLICES.values(), ids=list(_SPLICES))
_directions = pytest.mark.parametrize("direction", Direction)
_PAYLOAD = bytes(range(100))


def _packets(splice: Splice, direction: Direction, **fields: object) -> tuple[bytes, bytes]:
    """A packet of the splice as its sender knows it, and as it left."""
    translation = splice.translations()[direction]
    arrives, leaves = translation.match, translation.becomes
    sequence = (1000 + translation.sequence) % 2**32
    acknowledgment = (2000 + translation.acknowledgment * ("flags" not in fields)) % 2**32
    common = {"ttl": 9, "tos": 0x28, "payload": _PAYLOAD, "identification": 0, **fields}
    original = Tcp(source=arrives[0], destination=arrives[1], **common)  # type: ignore[arg-type]
    left = Tcp(
        source=leaves[0],
        destination=leaves[1],
        sequence=sequence,
        acknowledgment=acknowledgment,
        **common,  # type: ignore[arg-type]
    )
    return original.packet(), left.packet()


def _error(quote: bytes, parameter: int = 1300) -> Error:
    if quote[0] >> 4 == 6:
        return Error(bytes(15) + b"\x99", quote[8:24], 2, 0, parameter, quote)
    return Error(bytes((192, 0, 2, 1)), quote[12:16], 3, 4, parameter, quote)


def _told(splice: Splice, error: Error) -> Error:
    found = icmp.quoted(error)
    assert found is not None
    told = translated(error, found, splice)
    assert told is not None
    return told


@_splices
@_directions
@pytest.mark.parametrize("flags", [None, RST], ids=["with ACK", "without ACK"])
def test_the_quote_is_the_packet_as_it_was(splice: Splice, direction: Direction, flags: int | None) -> None:
    original, left = _packets(splice, direction, **({} if flags is None else {"flags": flags}))
    told = _told(splice, _error(left))
    assert told.quote == original
    assert told.mtu == 1300 + len(original) - len(left)
    match = splice.translations()[direction].match
    assert told.destination == match.source.address
    assert len(told.source) == len(told.destination)


@_splices
@_directions
@pytest.mark.parametrize("shown", [8, 9, 11, 12, 13, 14, 17, 18, 19, 20])
def test_as_much_as_is_quoted(splice: Splice, direction: Direction, shown: int) -> None:
    original, left = _packets(splice, direction)
    headers, start = (40 if packet[0] >> 4 == 6 else 20 for packet in (original, left))
    quote = _told(splice, _error(left[: start + shown])).quote
    assert len(quote) == headers + shown
    assert quote[:headers] == original[:headers]
    # An ACK number without the flag that it is one stays, and so does a checksum of which a half is missing.
    known = shown if shown >= 18 else 8
    expected = bytearray(original[headers : headers + shown])
    if shown < 14:
        expected[8:12] = left[start + 8 : start + min(shown, 12)]
    assert quote[headers : headers + known] == expected[:known]


@_directions
def test_a_router_stays_who_it_is_within_one_version(direction: Direction) -> None:
    _, left = _packets(PLAIN, direction)
    error = _error(left)
    told = _told(PLAIN, error)
    assert (told.source, told.type, told.code, told.parameter) == (error.source, 3, 4, 1300)


def test_extensions_stay_within_one_version_and_go_between_two() -> None:
    original, left = _packets(PLAIN, Direction.TO_SERVER)
    extended = left[:128].ljust(128, b"\0") + b"extension"
    assert _told(PLAIN, _error(extended, 32 << 16 | 1300)).quote == original[:128].ljust(128, b"\0") + b"extension"
    _, left = _packets(SIX_TO_FOUR, Direction.TO_SERVER)
    extended = left[:128].ljust(128, b"\0") + b"extension"
    assert _told(SIX_TO_FOUR, _error(extended, 32 << 16 | 1300)).quote[60:].endswith(left[40:128])


def test_what_has_no_counterpart_is_not_told() -> None:
    _, left = _packets(SIX_TO_FOUR, Direction.TO_SERVER)
    error = Error(bytes(4), left[12:16], 3, 14, 0, left)
    found = icmp.quoted(error)
    assert found is not None and translated(error, found, SIX_TO_FOUR) is None


def test_errors_of_our_own_come_from_the_vip_or_where_it_has_another_version_from_the_snat_address() -> None:
    for splice in (PLAIN, SNATTED, PLAIN6):
        assert {own_address(splice, direction) for direction in Direction} == {splice.flow.vip.address}
    assert own_address(SIX_TO_FOUR, Direction.TO_SERVER) == SIX_TO_FOUR.flow.vip.address
    assert own_address(SIX_TO_FOUR, Direction.TO_CLIENT) == SIX_TO_FOUR.source.address
