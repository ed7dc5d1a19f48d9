"""Connections that the eBPF program lets in by itself: what the slow path would send, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastpath.records import ADMISSION_HEADS, Direction, Offer
from slowpath.tcp import cookie
from slowpath.wire import tcp
from slowpath.wire.options import Options
from tests.conformance.admitting import (
    HEAD,
    LABEL,
    SERVER_ID,
    admission,
    from_client,
    from_server,
    let_in,
    ready,
    sent,
    shake_hands,
)
from tests.conformance.ebpf_target import EbpfTarget
from tests.conformance.target import CLIENT_PORT, SERVER_PORT


@pytest.fixture(scope="module")
def target() -> Iterator[EbpfTarget]:
    target = EbpfTarget()
    yield target
    target.close()


offers = st.builds(
    Offer,
    mss=st.just(1460),
    window=st.just(64240),
    window_scale=st.none() | st.integers(0, 14),
    sack=st.booleans(),
    timestamps=st.booleans(),
    ecn=st.booleans(),
)
asked = st.builds(
    Options,
    mss=st.none() | st.sampled_from((535, *cookie.MSS_TABLE, 65535)),
    window_scale=st.none() | st.integers(0, 14),
    sack_permitted=st.booleans(),
    timestamps=st.none() | st.tuples(st.integers(0, 2**32 - 1), st.just(0)),
)
flags = st.sampled_from((tcp.SYN, tcp.SYN | tcp.ECE | tcp.CWR))
heads = st.integers(ADMISSION_HEADS.start, 300).flatmap(lambda length: st.binary(min_size=length, max_size=length))


def test_what_is_sent_is_the_slow_paths(target: EbpfTarget) -> None:
    @settings(max_examples=150, deadline=None, database=None, report_multiple_bugs=False)
    @given(offers, asked, flags, st.integers(0, 2**32 - 1), heads, st.integers(0, 1), st.booleans())
    def check(offer: Offer, asked: Options, flags: int, isn: int, head: bytes, epoch: int, routed: bool) -> None:
        ready(target, admission(head, routed=routed), offer=offer, epoch=epoch)
        handshake = shake_hands(target, asked, isn=isn, flags=flags, offer=offer)
        let_in(target, handshake, head)
        admitted = target.hand_over(handshake.splice().translations()[0].match)
        assert admitted is not None
        assert admitted.splice == handshake.splice(head, routed=routed)
        assert admitted.lead == handshake.number >> 21

    check()


def test_any_length_of_a_head(target: EbpfTarget) -> None:
    for length in (8, 9, 15, 16, 17, 1459, 1460):
        head = bytes(number % 251 for number in range(length))
        ready(target, admission(head))
        let_in(target, shake_hands(target), head)


def test_what_follows_is_translated(target: EbpfTarget) -> None:
    ready(target, admission())
    handshake = shake_hands(target)
    let_in(target, handshake)
    reply = handshake.reply(b"HTTP/1.1 200 OK\r\n\r\n")
    out = sent(from_server(target, reply), CLIENT_PORT)
    assert out == handshake.to_client(reply).packet()
    more = handshake.segment(b"more", at=len(HEAD), answered=len(reply.payload))
    assert sent(from_client(target, more), SERVER_PORT) == handshake.to_server(more).packet()


def test_it_is_counted(target: EbpfTarget) -> None:
    ready(target, admission())
    handshake = shake_hands(target)
    from_client(target, handshake.segment())
    assert target.counters().admitted[LABEL] == 0
    request = sent(from_server(target, handshake.syn_ack()), SERVER_PORT)
    counters = target.counters()
    assert counters.admitted[LABEL] == 1
    assert not any(counters.punts.values())
    traffic = counters.servers[SERVER_ID]
    assert (traffic[0].packets, traffic[0].bytes) == (1, len(request))
    admitted = target.hand_over(handshake.splice().translations()[1].match)
    assert admitted is not None
    assert admitted.label == LABEL
    (volumes,) = target.traffic([admitted.splice.flow])
    assert volumes is not None
    assert volumes[Direction.TO_SERVER] == (1, len(HEAD))
    assert volumes[Direction.TO_CLIENT] == (0, 0)
