"""The reference against the vectors, and against what must hold for every packet."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastpath.profile import HOST, SWITCH
from fastpath.records import Direction, Splice, Translation
from fastpath.rewrite import translate
from slowpath.wire import options
from tests.conformance.memory_target import MemoryTarget
from tests.conformance.packets import ACK, Tcp, full_checksum
from tests.conformance.strategies import spliced_packets, splices
from tests.conformance.suite import HostVectors, SwitchVectors
from tests.conformance.target import Target

_MASK = 2**32 - 1


class TestHost(HostVectors):
    """The reference as a target on a host is held to it."""

    @pytest.fixture
    def target(self) -> Target:
        return MemoryTarget(HOST)


class TestSwitch(SwitchVectors):
    """The reference as a switch is held to it."""

    @pytest.fixture
    def target(self) -> Target:
        return MemoryTarget(SWITCH)


@st.composite
def translated(draw: st.DrawFn) -> tuple[Tcp, Translation]:
    """A packet and the translation that it meets."""
    splice: Splice = draw(splices)
    direction = draw(st.sampled_from(Direction))
    return draw(spliced_packets(splice, direction)), splice.translations()[direction]


def _inverse(translation: Translation) -> Translation:
    return Translation(
        translation.direction,
        translation.becomes,
        translation.match,
        -translation.sequence & _MASK,
        -translation.acknowledgment & _MASK,
        -translation.tsval & _MASK,
        -translation.tsecr & _MASK,
    )


def _checksum_errors(packet: bytes, length: int) -> tuple[int, int]:
    """By how much the checksums of IPv4 and TCP are wrong, in one's complement; `length` is without padding."""
    ip, tcp = packet[:20], packet[20:length]
    pseudo = packet[12:20] + bytes((0, 6)) + len(tcp).to_bytes(2, "big")
    right_ip = int.from_bytes(full_checksum(ip[:10] + bytes(2) + ip[12:]), "big")
    right_tcp = int.from_bytes(full_checksum(pseudo + tcp[:16] + bytes(2) + tcp[18:]), "big")
    return (
        (int.from_bytes(ip[10:12], "big") - right_ip) % 0xFFFF,
        (int.from_bytes(tcp[16:18], "big") - right_tcp) % 0xFFFF,
    )


@given(translated())
def test_there_and_back_again_costs_only_ttl(case: tuple[Tcp, Translation]) -> None:
    packet, translation = case
    packet = replace(packet, ttl=max(packet.ttl, 3))
    there = translate(packet.packet(), translation)
    assert translate(there, _inverse(translation)) == replace(packet, ttl=packet.ttl - 2).packet()


@given(translated())
def test_checksums_stay_as_wrong_as_they_were(case: tuple[Tcp, Translation]) -> None:
    packet, translation = case
    out = translate(packet.packet(), translation)
    assert _checksum_errors(out, len(out) - len(packet.padding)) == (
        packet.ip_error % 0xFFFF,
        packet.tcp_error % 0xFFFF,
    )


@given(translated())
def test_every_number_moves_by_its_delta_and_nothing_else_changes(case: tuple[Tcp, Translation]) -> None:
    packet, translation = case
    acknowledges = bool(packet.flags & ACK)
    decoded = {"sack": (translation.acknowledgment,) * 2, "ts": (translation.tsval, translation.tsecr * acknowledges)}
    area = bytearray(packet.options)
    for kind, offset, length in options.locate(packet.options):
        deltas = {options.SACK: decoded["sack"], options.TIMESTAMPS: decoded["ts"]}.get(kind, ())
        for word in range((length - 2) // 4 if deltas else 0):
            field = slice(offset + 2 + 4 * word, offset + 6 + 4 * word)
            area[field] = ((int.from_bytes(area[field], "big") + deltas[word % 2]) & _MASK).to_bytes(4, "big")
    expected = replace(
        packet,
        source=translation.becomes.source,
        destination=translation.becomes.destination,
        sequence=(packet.sequence + translation.sequence) & _MASK,
        acknowledgment=(packet.acknowledgment + translation.acknowledgment * acknowledges) & _MASK,
        options=bytes(area),
        ttl=packet.ttl - 1,
    )
    assert translate(packet.packet(), translation) == expected.packet()
