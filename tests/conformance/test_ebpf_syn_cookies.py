"""SYNs that the eBPF program answers itself: cookie and SYN-ACK must be the slow path's, bit for bit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastpath.records import Flow, Listener, Offer, Reason, SynCookies
from fastpath.verdict import Punted, Sent, Verdict
from slowpath.tcp import cookie
from slowpath.wire import options, tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from tests.conformance.ebpf_target import EbpfTarget
from tests.conformance.packets import Tcp, timestamps
from tests.conformance.target import CLIENT_PORT, NEXT_HOPS, Rules

CLIENT = Endpoint.parse("10.1.0.2:40000")
VIP = Endpoint.parse("10.1.0.100:80")
CLIENT6, VIP6 = Endpoint.parse("[2001:db8:1::2]:40000"), Endpoint.parse("[2001:db8:1::100]:80")
FULL = Offer(mss=1460, window=64240, window_scale=7, sack=True, timestamps=True, ecn=True)
KEYS = (bytes(range(16)), bytes(range(16, 32)))
SYN = Tcp(source=CLIENT, destination=VIP, flags=tcp.SYN, acknowledgment=0)
SYN6 = replace(SYN, source=CLIENT6, destination=VIP6, flow_label=0x12345)
LINUX = Options(mss=1400, window_scale=9, sack_permitted=True, timestamps=(77, 0)).encode()


@pytest.fixture(scope="module")
def target() -> Iterator[EbpfTarget]:
    target = EbpfTarget()
    yield target
    target.close()


def ready(target: EbpfTarget, offer: Offer, epoch: int = 0) -> SynCookies:
    cookies = SynCookies(KEYS, epoch)
    target.program(Rules((Listener(VIP, offer), Listener(VIP6, offer)), (), ()))
    target.rotate(cookies)
    return cookies


def answered(verdict: Verdict) -> bytes:
    """The packet of the SYN-ACK."""
    assert isinstance(verdict, Sent), verdict
    hop = NEXT_HOPS[CLIENT_PORT]
    assert verdict.frame[:12] == hop.destination_mac + hop.source_mac
    assert verdict.frame[12:14] == (b"\x86\xdd" if verdict.frame[14] >> 4 == 6 else b"\x08\x00")
    return verdict.frame[14:]


def expected(cookies: SynCookies, offer: Offer, syn: Tcp, tsval: int) -> bytes:
    """The SYN-ACK that the slow path would send."""
    asked = options.decode(syn.options)
    agreed = cookie.agree(asked, syn.flags, offer)
    reply = Options(
        mss=offer.mss,
        window_scale=None if agreed.window_scale is None else offer.window_scale,
        sack_permitted=agreed.sack,
        timestamps=(tsval, asked.timestamps[0]) if agreed.timestamps and asked.timestamps else None,
    )
    flags = tcp.SYN | tcp.ACK | (tcp.ECE if agreed.ecn else 0)
    isn = cookie.make(cookies, Flow(syn.source, syn.destination), syn.sequence, agreed)
    acknowledgment = (syn.sequence + 1) & 0xFFFF_FFFF
    return tcp.build(tcp.Segment(syn.destination, syn.source, isn, acknowledgment, flags, offer.window, reply))


offers = st.builds(
    Offer,
    mss=st.integers(536, 8960),
    window=st.integers(0, 65535),
    window_scale=st.none() | st.integers(0, 14),
    sack=st.booleans(),
    timestamps=st.booleans(),
    ecn=st.booleans(),
)
option_areas = st.builds(
    Options,
    mss=st.none() | st.sampled_from((0, 1, 535, *cookie.MSS_TABLE, 65535)) | st.integers(0, 65535),
    window_scale=st.none() | st.integers(0, 255),
    sack_permitted=st.booleans(),
    timestamps=st.none() | st.tuples(st.integers(0, 2**32 - 1), st.just(0)),
).map(Options.encode)
syns = st.builds(
    replace,
    st.sampled_from((SYN, SYN6)),
    tos=st.integers(0, 255),
    sequence=st.integers(0, 2**32 - 1),
    options=option_areas,
    flags=st.sampled_from((tcp.SYN, tcp.SYN | tcp.ECE | tcp.CWR, tcp.SYN | tcp.ECE, tcp.SYN | tcp.PSH)),
    padding=st.binary(max_size=8),
)


def test_every_syn_gets_the_slow_paths_answer(target: EbpfTarget) -> None:
    @settings(max_examples=300, deadline=None, database=None)
    @given(offer=offers, syn=syns, epoch=st.integers(0, 2**16))
    def check(offer: Offer, syn: Tcp, epoch: int) -> None:
        cookies = ready(target, offer, epoch)
        out = answered(target.receive(CLIENT_PORT, syn.arriving(CLIENT_PORT)))
        echoed = tcp.parse(out).options.timestamps
        assert out == expected(cookies, offer, syn, tsval=echoed[0] if echoed else 0)
        assert target.counters().syns_answered == 1

    check()


def test_the_timestamp_is_the_monotonic_clock_in_milliseconds(target: EbpfTarget) -> None:
    ready(target, FULL)
    before = time.monotonic_ns() // 1_000_000
    out = answered(target.receive(CLIENT_PORT, replace(SYN, options=LINUX).arriving(CLIENT_PORT)))
    after = time.monotonic_ns() // 1_000_000
    echoed = tcp.parse(out).options.timestamps
    assert echoed is not None
    assert (echoed[0] - before) & 0xFFFF_FFFF <= after - before
    assert echoed[1] == 77


@pytest.mark.parametrize("syn", [SYN, SYN6], ids=["IPv4", "IPv6"])
def test_the_cookie_proves_itself(target: EbpfTarget, syn: Tcp) -> None:
    cookies = ready(target, FULL)
    syn = replace(syn, options=LINUX)
    out = tcp.parse(answered(target.receive(CLIENT_PORT, syn.arriving(CLIENT_PORT))))
    verdict, agreed = cookie.check(cookies, Flow(syn.source, syn.destination), syn.sequence, out.sequence)
    assert verdict is cookie.Check.VALID
    assert agreed == cookie.Agreed(mss=1400, window_scale=9, sack=True, timestamps=True)


def test_without_an_offer_syns_are_punted(target: EbpfTarget) -> None:
    target.program(Rules((Listener(VIP, None),), (), ()))
    target.rotate(SynCookies(KEYS, 0))
    punted = Punted(Reason.SYN, SYN.punted(Reason.SYN, CLIENT_PORT))
    assert target.receive(CLIENT_PORT, SYN.arriving(CLIENT_PORT)) == punted


@pytest.mark.parametrize(
    "syn",
    [
        replace(SYN, payload=b"early"),
        replace(SYN, ip_options=b"\1\1\1\0"),
        replace(SYN6, protocol=60, ip_options=b"\6" + bytes(7)),
        replace(SYN6, tcp_error=1),
        replace(SYN, options=b"\2\3\0\0"),
        replace(SYN, options=timestamps(1, 0)[:8]),
        replace(SYN, flags=tcp.SYN | tcp.FIN),
        replace(SYN, flags=tcp.SYN | tcp.RST),
        replace(SYN, tcp_error=1),
        replace(SYN, options=LINUX, tcp_error=0x8000),
    ],
    ids=[
        "payload",
        "IPv4 options",
        "an extension header",
        "checksum of IPv6",
        "MSS of 3 bytes",
        "timestamps cut short",
        "FIN",
        "RST",
        "checksum",
        "checksum with options",
    ],
)
def test_what_is_out_of_the_ordinary_is_punted(target: EbpfTarget, syn: Tcp) -> None:
    ready(target, FULL)
    punted = Punted(Reason.SYN, syn.punted(Reason.SYN, CLIENT_PORT))
    assert target.receive(CLIENT_PORT, syn.arriving(CLIENT_PORT)) == punted
    assert target.counters().syns_answered == 0


def test_the_ack_that_completes_a_handshake_is_taken(target: EbpfTarget) -> None:
    @settings(max_examples=100, deadline=None, database=None)
    @given(offer=offers, syn=syns, epoch=st.integers(0, 2**16))
    def check(offer: Offer, syn: Tcp, epoch: int) -> None:
        ready(target, offer, epoch)
        ack = completing(target, syn)
        assert target.takes(CLIENT_PORT, ack.arriving(CLIENT_PORT))
        assert target.counters().handshakes == 1

    check()


def test_where_the_server_may_speak_first_that_ack_is_punted(target: EbpfTarget) -> None:
    ready(target, FULL)
    target.program(Rules((Listener(VIP, FULL, client_first=False),), (), ()))
    ack = completing(target, replace(SYN, options=LINUX))
    punted = Punted(Reason.MISS, ack.punted(Reason.MISS, CLIENT_PORT))
    assert target.receive(CLIENT_PORT, ack.arriving(CLIENT_PORT)) == punted
    assert target.counters().handshakes == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"acknowledgment": 1},
        {"sequence": 1},
        {"payload": b"GET"},
        {"flags": tcp.ACK | tcp.FIN},
        {"flags": tcp.ACK | tcp.RST},
        {"source": Endpoint(CLIENT.address, 40001)},
    ],
    ids=["number not ours", "ISN not the SYN's", "payload", "FIN", "RST", "another port"],
)
def test_any_other_ack_is_punted(target: EbpfTarget, changes: dict[str, Any]) -> None:
    ready(target, FULL)
    other = replace(completing(target, replace(SYN, options=LINUX)), **changes)
    punted = Punted(Reason.MISS, other.punted(Reason.MISS, CLIENT_PORT))
    assert target.receive(CLIENT_PORT, other.arriving(CLIENT_PORT)) == punted
    assert target.counters().handshakes == 0


def completing(target: EbpfTarget, syn: Tcp) -> Tcp:
    """The ACK of the SYN-ACK that the target answers `syn` with."""
    answer = tcp.parse(answered(target.receive(CLIENT_PORT, syn.arriving(CLIENT_PORT))))
    return Tcp(
        source=syn.source,
        destination=syn.destination,
        flags=tcp.ACK,
        sequence=(syn.sequence + 1) & 0xFFFF_FFFF,
        acknowledgment=(answer.sequence + 1) & 0xFFFF_FFFF,
    )
