"""The reference rewrite between IP versions, and with IPv6."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastpath.records import Direction, Translation
from fastpath.rewrite import translate
from slowpath.wire.ip import DESTINATION_OPTIONS
from slowpath.wire.tcp import MalformedPacket
from tests.conformance.packets import Tcp, nops
from tests.conformance.strategies import spliced_packets
from tests.conformance.vectors.ipv6_model import FOUR_TO_SIX, PLAIN6, SIX_TO_FOUR, UP6, UP6_LEFT, extension

_MASK = 2**32 - 1
_TO_SERVER6 = PLAIN6.translations()[Direction.TO_SERVER]
_TO_IPV4 = SIX_TO_FOUR.translations()[Direction.TO_SERVER]
_TO_IPV6 = FOUR_TO_SIX.translations()[Direction.TO_SERVER]


def _arriving(translation: Translation, **fields: object) -> Tcp:
    packet = Tcp(source=translation.match.source, destination=translation.match.destination)
    return replace(packet, **fields)  # type: ignore[arg-type]


def _leaving(arrived: Tcp, translation: Translation, **fields: object) -> Tcp:
    changed = replace(
        arrived,
        source=translation.becomes.source,
        destination=translation.becomes.destination,
        acknowledgment=(arrived.acknowledgment + translation.acknowledgment) & _MASK,
        ttl=arrived.ttl - 1,
    )
    return replace(changed, **fields)  # type: ignore[arg-type]


def test_extension_headers_stay_with_ipv6() -> None:
    headers: dict[str, Any] = {"protocol": DESTINATION_OPTIONS, "ip_options": extension(6, length=16)}
    arrives, leaves = (replace(packet, **headers) for packet in (UP6, UP6_LEFT))
    assert translate(arrives.packet(), _TO_SERVER6) == leaves.packet()


def test_extension_headers_are_not_carried_over_to_ipv4() -> None:
    bare = _arriving(_TO_IPV4, payload=b"GET", padding=b"pad")
    arrives = replace(bare, protocol=DESTINATION_OPTIONS, ip_options=extension(6))
    assert translate(arrives.packet(), _TO_IPV4) == _leaving(bare, _TO_IPV4, identification=0).packet()


def test_ipv4_options_are_not_carried_over_to_ipv6() -> None:
    bare = _arriving(_TO_IPV6, payload=b"GET", padding=b"pad")
    arrives = replace(bare, ip_options=nops(8))
    assert translate(arrives.packet(), _TO_IPV6) == _leaving(bare, _TO_IPV6).packet()


def test_the_longest_segment_that_fits_ipv4() -> None:
    arrives = _arriving(_TO_IPV4, payload=bytes(65535 - 20 - 20))
    assert translate(arrives.packet(), _TO_IPV4) == _leaving(arrives, _TO_IPV4, identification=0).packet()
    with pytest.raises(MalformedPacket, match="65516 bytes of TCP do not fit an IPv4 packet"):
        translate(replace(arrives, payload=arrives.payload + b"x").packet(), _TO_IPV4)


@st.composite
def _converted(draw: st.DrawFn) -> tuple[Tcp, Translation]:
    direction = draw(st.sampled_from(Direction))
    splice = draw(st.sampled_from((SIX_TO_FOUR, FOUR_TO_SIX)))
    return draw(spliced_packets(splice, direction)), splice.translations()[direction]


@given(_converted())
def test_there_and_back_again_costs_ttl_and_what_the_other_version_has_no_field_for(
    case: tuple[Tcp, Translation],
) -> None:
    packet, forth = case
    back = Translation(
        forth.direction,
        forth.becomes,
        forth.match,
        -forth.sequence & _MASK,
        -forth.acknowledgment & _MASK,
        -forth.tsval & _MASK,
        -forth.tsecr & _MASK,
    )
    packet = replace(packet, ttl=max(packet.ttl, 3))
    expected = replace(packet, ttl=packet.ttl - 2, flow_label=0, identification=0, fragment=0x4000, ip_error=0)
    assert translate(translate(packet.packet(), forth), back) == expected.packet()
