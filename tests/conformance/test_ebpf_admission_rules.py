"""Whom the eBPF program lets in, whom it asks, and when it leaves a connection to the slow path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from fastpath.access import Access, Prefix
from fastpath.ebpf import layout
from fastpath.records import Admission, Drop, Flow, Listener, Reason, Server, Splice, SynCookies, Tuple4
from fastpath.verdict import Dropped, Punted, Sent
from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from tests.conformance.admitting import (
    CLIENT,
    FULL,
    HEAD,
    ISN,
    KEYS,
    SERVER,
    SERVER_ID,
    SERVER_ISN,
    SERVERS,
    VIP,
    Handshake,
    admission,
    first_segment,
    from_client,
    from_server,
    let_in,
    ready,
    sent,
    shake_hands,
)
from tests.conformance.ebpf_target import EbpfTarget
from tests.conformance.packets import Tcp, nops, timestamps
from tests.conformance.target import CLIENT_PORT, SERVER_PORT, Rules

BARE = Options(mss=1400)
OTHER_SERVER = SERVERS[1][0]


@pytest.fixture(scope="module")
def target() -> Iterator[EbpfTarget]:
    target = EbpfTarget()
    yield target
    target.close()


def is_punted(target: EbpfTarget, packet: Tcp) -> bool:
    punted = Punted(Reason.MISS, packet.punted(Reason.MISS, CLIENT_PORT))
    return from_client(target, packet) == punted and not target.entries()


def takes(target: EbpfTarget, port: int, packet: Tcp) -> bool:
    """Whether a packet is dropped, as nothing is to be counted about it."""
    return target.takes(port, packet.arriving(port))


# Who is let in


CHANGES: dict[str, Callable[[Tcp], Tcp]] = {
    "another head": lambda first: replace(first, payload=HEAD.replace(b"/", b"?", 1)),
    "a longer head": lambda first: replace(first, payload=HEAD + b"x"),
    "a shorter head": lambda first: replace(first, payload=HEAD[:-1]),
    "a FIN": lambda first: replace(first, flags=first.flags | tcp.FIN),
    "a RST": lambda first: replace(first, flags=first.flags | tcp.RST),
    "ECE": lambda first: replace(first, flags=first.flags | tcp.ECE),
    "CWR": lambda first: replace(first, flags=first.flags | tcp.CWR),
    "URG": lambda first: replace(first, flags=first.flags | 0x20),
    "no ACK": lambda first: replace(first, flags=tcp.PSH),
    "IPv4 options": lambda first: replace(first, ip_options=nops(4)),
    "no timestamps": lambda first: replace(first, options=b""),
    "timestamps elsewhere": lambda first: replace(first, options=first.options[2:] + nops(2)),
    "more options": lambda first: replace(first, options=first.options + nops(4)),
    "a cookie not ours": lambda first: replace(first, acknowledgment=first.acknowledgment + 1024),
    "a later segment": lambda first: replace(first, sequence=first.sequence + 1),
    "a wrong checksum": lambda first: replace(first, tcp_error=1),
    "nowhere to go": lambda first: replace(first, payload=b"unreachable"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_out_of_the_ordinary_is_punted(target: EbpfTarget, change: Callable[[Tcp], Tcp]) -> None:
    nowhere = replace(admission(b"unreachable"), servers=((Endpoint.parse("192.0.2.1:80"), SERVER_ID),))
    ready(target, admission(), nowhere)
    assert is_punted(target, change(shake_hands(target).segment()))


def test_timestamps_that_were_not_agreed_on(target: EbpfTarget) -> None:
    ready(target, admission())
    first = shake_hands(target, BARE).segment()
    assert is_punted(target, replace(first, options=nops(2) + timestamps(1, 2)))


def test_a_push_flag_is_not_needed(target: EbpfTarget) -> None:
    ready(target, admission())
    handshake = shake_hands(target)
    assert sent(from_client(target, handshake.segment(flags=tcp.ACK)), SERVER_PORT) == handshake.syn()


def test_padding_is_cut_off(target: EbpfTarget) -> None:
    ready(target, admission())
    handshake = shake_hands(target)
    padded = replace(handshake.segment(), padding=b"padding")
    assert sent(from_client(target, padded), SERVER_PORT) == handshake.syn()
    answer = replace(handshake.syn_ack(), padding=b"padding")
    assert sent(from_server(target, answer), SERVER_PORT) == handshake.request()


def test_a_super_packet_is_punted(target: EbpfTarget) -> None:
    ready(target, admission(bytes(1200)))
    first = shake_hands(target).segment(bytes(1200))
    verdict = target.receive(CLIENT_PORT, first.arriving(CLIENT_PORT), 600)
    assert isinstance(verdict, Punted)
    assert not target.entries()


def test_another_vip(target: EbpfTarget) -> None:
    ready(target, replace(admission(), vip=Endpoint(VIP.address, 81)))
    assert is_punted(target, shake_hands(target).segment())


def test_what_is_of_ipv6_is_never_let_in(target: EbpfTarget) -> None:
    vip = Endpoint.parse("[2001:db8:1::100]:80")
    target.program(Rules((Listener(vip, FULL),), (), ()))
    target.admit(Admission(vip, HEAD, SERVERS[:1], False, 0, admission().until))
    target.admit(replace(admission(), servers=((Endpoint.parse("[2001:db8:2::2]:80"), 1),)))
    assert target.admissions() == 0


def test_a_client_that_is_not_served_is_not_let_in(target: EbpfTarget) -> None:
    ready(target, admission())
    first = shake_hands(target).segment()
    access = Access(deny=(Prefix(CLIENT.address, 32),))
    target.program(Rules((Listener(VIP, FULL, access=access),), (), ()))
    target.admit(admission())
    assert from_client(target, first) == Dropped(Drop.DENIED)


def test_nobody_is_let_in_by_what_is_over_or_revoked(target: EbpfTarget) -> None:
    ready(target, admission(lasts=-1.0))
    assert is_punted(target, shake_hands(target).segment())
    ready(target, admission())
    target.revoke()
    assert is_punted(target, shake_hands(target).segment())


def test_who_was_left_to_the_slow_path_stays_there(target: EbpfTarget) -> None:
    ready(target)
    first = shake_hands(target).segment()
    assert is_punted(target, first)
    target.admit(admission())
    assert is_punted(target, first)
    next_one = shake_hands(target, isn=ISN + 1_000_000)
    assert sent(from_client(target, next_one.segment()), SERVER_PORT) == next_one.syn()


def test_a_server_that_the_slow_path_waits_for_is_not_asked(target: EbpfTarget) -> None:
    ready(target, admission())
    target.expect(Tuple4(SERVER, CLIENT))
    assert is_punted(target, shake_hands(target).segment())


def test_a_server_that_knows_the_client_through_another_splice_is_not_asked(target: EbpfTarget) -> None:
    other = Splice(Flow(CLIENT, Endpoint(VIP.address, 81)), SERVER, SERVER_ID, CLIENT, delta=5)
    ready(target, admission(), splices=(other,))
    assert is_punted(target, shake_hands(target).segment())


def test_two_vips_share_a_server_but_for_one_4_tuple(target: EbpfTarget) -> None:
    ready(target, admission())
    handshake = shake_hands(target)
    let_in(target, handshake)
    other = Endpoint(VIP.address, 81)
    rules = (Listener(VIP, FULL), Listener(other, FULL))
    target.listen(rules)
    target.admit(replace(admission(), vip=other))
    assert isinstance(from_client(target, first_segment(target, other)), Punted)
    assert len(target.entries()) == 2


def test_a_head_that_is_too_long_for_the_next_hop_is_not_let_in(target: EbpfTarget) -> None:
    narrow = (Endpoint.parse("10.2.9.2:8080"), 9)
    rest = bytes(1300 - 20 - 32)
    target.program(Rules((Listener(VIP, FULL),), (Server(9, narrow[0]),), ()))
    target.rotate(SynCookies(KEYS, 0))
    for head, fits in ((rest + b"x", False), (rest, True)):
        target.admit(replace(admission(head), servers=(narrow,)))
        first = shake_hands(target, isn=len(head)).segment(head)
        assert isinstance(from_client(target, first), Sent if fits else Punted)


def test_servers_have_their_turns(target: EbpfTarget) -> None:
    ready(target, admission(servers=3))
    asked = []
    for number in range(7):
        if number == 4:
            target.admit(admission(servers=3))  # Renewed, it goes on where it was.
        client = Endpoint(CLIENT.address, 41000 + number)
        handshake = shake_hands(target, client=client)
        packet = tcp.parse(sent(from_client(target, handshake.segment()), SERVER_PORT))
        assert packet.source == client
        asked.append(packet.destination)
    assert asked == [SERVERS[number % 3][0] for number in range(7)]


# While a server is asked


def asked(target: EbpfTarget, options: Options = Options(mss=1400, window_scale=9, timestamps=(77, 0))) -> Handshake:
    """A connection that it is for."""
    ready(target, admission(servers=2))
    handshake = shake_hands(target, options)
    assert sent(from_client(target, handshake.segment()), SERVER_PORT) == handshake.syn()
    return handshake


def test_the_segment_again_is_the_syn_again_and_then_the_slow_paths(target: EbpfTarget) -> None:
    handshake = asked(target)
    again = handshake.segment()
    assert sent(from_client(target, again), SERVER_PORT) == handshake.syn()
    assert is_punted(target, again)
    assert target.admissions() == 0
    target.admit(admission())
    assert is_punted(target, again)


def test_the_segment_again_may_have_later_timestamps(target: EbpfTarget) -> None:
    handshake = asked(target)
    again = replace(handshake.segment(), window=99, options=nops(2) + timestamps(1000, handshake.our_tsval or 0))
    assert sent(from_client(target, again), SERVER_PORT) == handshake.syn()
    assert sent(from_server(target, handshake.syn_ack()), SERVER_PORT) == handshake.request()


@pytest.mark.parametrize("flags", [tcp.RST | tcp.ACK, tcp.RST | tcp.ACK | tcp.PSH])
def test_a_refusal_leaves_the_connection_to_the_slow_path(target: EbpfTarget, flags: int) -> None:
    handshake = asked(target)
    refusal = replace(handshake.syn_ack(), flags=flags, sequence=0, options=b"")
    assert takes(target, SERVER_PORT, refusal)
    assert target.admissions() == 0
    assert is_punted(target, handshake.segment())
    assert not any(target.counters().admitted.values())


UNFIT = {
    "no timestamps": Options(mss=1460, window_scale=9),
    "no scale": Options(mss=1460, timestamps=(1, 2)),
    "a scale that is too small": Options(mss=1460, window_scale=6, timestamps=(1, 2)),
}


@pytest.mark.parametrize("given", UNFIT.values(), ids=UNFIT)
def test_a_server_that_cannot_keep_what_was_promised_is_reset(target: EbpfTarget, given: Options) -> None:
    handshake = asked(target)
    syn_ack = replace(handshake.syn_ack(), options=given.encode())
    reset = tcp.Segment(CLIENT, SERVER, ISN + 1, SERVER_ISN + 1, tcp.RST | tcp.ACK, 0, Options())
    assert sent(from_server(target, syn_ack), SERVER_PORT) == tcp.build(reset)
    assert target.admissions() == 0
    assert is_punted(target, handshake.segment())


def test_a_larger_scale_than_was_promised_fits(target: EbpfTarget) -> None:
    handshake = asked(target)
    syn_ack = replace(handshake.syn_ack(), options=Options(window_scale=14, timestamps=(5_000_000, 78)).encode())
    assert sent(from_server(target, syn_ack), SERVER_PORT) == handshake.request()


@pytest.mark.parametrize("flags", [tcp.ACK, tcp.SYN | tcp.ACK, tcp.FIN | tcp.ACK])
def test_an_earlier_connection_is_ended(target: EbpfTarget, flags: int) -> None:
    handshake = asked(target)
    other = replace(handshake.syn_ack(), flags=flags, acknowledgment=77)
    reset = tcp.build(tcp.Segment(CLIENT, SERVER, 77, 0, tcp.RST, 0, Options()))
    assert sent(from_server(target, other), SERVER_PORT) == handshake.syn()
    assert sent(Sent(SERVER_PORT, target.copied(SERVER_PORT)), SERVER_PORT) == reset
    assert sent(from_server(target, other), SERVER_PORT) == reset
    assert sent(from_server(target, handshake.syn_ack()), SERVER_PORT) == handshake.request()


DROPPED_FROM_CLIENTS: dict[str, Callable[[Tcp], Tcp]] = {
    "a SYN": lambda first: replace(first, flags=tcp.SYN, payload=b""),
    "an ACK": lambda first: replace(first, payload=b""),
    "more": lambda first: replace(first, payload=HEAD + b"more"),
    "other bytes": lambda first: replace(first, payload=HEAD[:-1] + b"x"),
    "other bytes with the same sum": lambda first: replace(first, payload=HEAD[2:4] + HEAD[:2] + HEAD[4:]),
    "what comes later": lambda first: replace(first, sequence=first.sequence + len(HEAD)),
    "another ACK number": lambda first: replace(first, acknowledgment=first.acknowledgment + 1),
    "a FIN": lambda first: replace(first, flags=first.flags | tcp.FIN),
    "a RST": lambda first: replace(first, flags=tcp.RST, payload=b""),
    "a wrong checksum": lambda first: replace(first, tcp_error=1),
    "IPv4 options": lambda first: replace(first, ip_options=nops(4)),
}
DROPPED_FROM_SERVERS: dict[str, Callable[[Tcp], Tcp]] = {
    "a SYN": lambda reply: replace(reply, flags=tcp.SYN, acknowledgment=0),
    "an ACK of the SYN": lambda reply: replace(reply, flags=tcp.ACK, options=b""),
    "a RST without ACK": lambda reply: replace(reply, flags=tcp.RST),
    "a RST of something else": lambda reply: replace(reply, flags=tcp.RST | tcp.ACK, acknowledgment=77),
    "a RST with a wrong checksum": lambda reply: replace(reply, flags=tcp.RST | tcp.ACK, tcp_error=1),
    "payload": lambda reply: replace(reply, payload=b"early"),
    "payload that sums up to nothing": lambda reply: replace(reply, payload=bytes(4)),
    "a wrong checksum": lambda reply: replace(reply, tcp_error=1),
    "malformed options": lambda reply: replace(reply, options=b"\2\3\0\0"),
    "IPv4 options": lambda reply: replace(reply, ip_options=nops(4)),
}


@pytest.mark.parametrize("change", DROPPED_FROM_CLIENTS.values(), ids=DROPPED_FROM_CLIENTS)
def test_what_else_a_client_sends_is_dropped(target: EbpfTarget, change: Callable[[Tcp], Tcp]) -> None:
    handshake = asked(target)
    assert takes(target, CLIENT_PORT, change(handshake.segment()))
    assert sent(from_server(target, handshake.syn_ack()), SERVER_PORT) == handshake.request()


@pytest.mark.parametrize("change", DROPPED_FROM_SERVERS.values(), ids=DROPPED_FROM_SERVERS)
def test_what_else_a_server_sends_is_dropped(target: EbpfTarget, change: Callable[[Tcp], Tcp]) -> None:
    handshake = asked(target)
    assert takes(target, SERVER_PORT, change(handshake.syn_ack()))
    assert sent(from_server(target, handshake.syn_ack()), SERVER_PORT) == handshake.request()


def test_headers_that_are_no_headers(target: EbpfTarget) -> None:
    handshake = asked(target)
    assert from_client(target, replace(handshake.segment(), data_offset=4)) == Dropped(Drop.MALFORMED)
    assert from_server(target, replace(handshake.syn_ack(), data_offset=4)) == Dropped(Drop.MALFORMED)


def test_an_admission_that_is_revoked_meanwhile(target: EbpfTarget) -> None:
    handshake = asked(target)
    target.revoke()
    reset = tcp.Segment(CLIENT, SERVER, ISN + 1, SERVER_ISN + 1, tcp.RST | tcp.ACK, 0, Options())
    assert sent(from_server(target, handshake.syn_ack()), SERVER_PORT) == tcp.build(reset)
    assert is_punted(target, handshake.segment())
    handshake = asked(target)
    target.revoke()
    assert is_punted(target, handshake.segment())


def test_an_admission_for_other_servers_meanwhile(target: EbpfTarget) -> None:
    handshake = asked(target)
    target.admit(replace(admission(), servers=SERVERS[1:]))
    assert sent(from_server(target, handshake.syn_ack()), SERVER_PORT) == handshake.request()


def test_who_asks_has_nothing_to_hand_over(target: EbpfTarget) -> None:
    handshake = asked(target)
    for translation in handshake.splice().translations():
        assert target.hand_over(translation.match) is None
    assert len(target.entries()) == 2


def test_a_client_that_has_gone_is_forgotten(target: EbpfTarget) -> None:
    handshake = asked(target)
    (number,) = set(target.entries().values())
    now = target.word(number, layout.LAST_SEEN) << layout.TICK_SHIFT
    target.blanks.turn(now + 4_900_000_000)
    assert len(target.entries()) == 2
    target.blanks.turn(now + 5_100_000_000)
    assert target.entries() == {}
    assert target.word(number, layout.FLAGS) & layout.ASKING
    target.blanks.turn(now + 5_600_000_000)
    assert target.word(number, layout.FLAGS) == layout.BLANK
    first = replace(handshake.segment(), sequence=ISN + 10)
    assert isinstance(from_client(target, first), Punted)
