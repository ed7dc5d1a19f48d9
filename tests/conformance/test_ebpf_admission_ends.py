"""What becomes of connections that the eBPF program has let in: handed over, ended, followed by others, used again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from fastpath.frame import Action, InjectFlags
from fastpath.interface import Closed
from fastpath.records import Direction, Followed, Listener, Precedent, Reason
from fastpath.verdict import Passed, Punted, Sent, Verdict
from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint
from tests.conformance.admitting import (
    CLIENT,
    FULL,
    HEAD,
    ISN,
    LABEL,
    MASK,
    SERVER,
    SERVER_ID,
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
from tests.conformance.ebpf_mutants import Fault, mutant
from tests.conformance.ebpf_target import EbpfTarget
from tests.conformance.packets import Tcp
from tests.conformance.target import CLIENT_PORT, SERVER_PORT

FIN = tcp.FIN | tcp.ACK
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
NEXT_ISN = ISN + 1_000_000
IMPATIENT = (
    Fault("nothing is kept", "blank.h", "#define KEPT 1908", "#define KEPT 0"),
    Fault("nothing at all", "blank.h", "#define LEAST_KEPT 239", "#define LEAST_KEPT 0"),
    Fault("nothing rests", "blank.h", "#define RESTS 239", "#define RESTS 0"),
)


@pytest.fixture(scope="module")
def target() -> Iterator[EbpfTarget]:
    target = EbpfTarget()
    yield target
    target.close()


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EbpfTarget]:
    """One that uses records again as soon as their connections have ended."""
    target = mutant(tmp_path_factory.mktemp("program"), *IMPATIENT)
    yield target
    target.close()


def connected(target: EbpfTarget, *, routed: bool = False) -> Handshake:
    """One that was let in."""
    ready(target, admission(routed=routed))
    handshake = shake_hands(target)
    let_in(target, handshake)
    return handshake


def number_of(target: EbpfTarget) -> int:
    (number,) = set(target.entries().values())
    return number


def client_says(target: EbpfTarget, packet: Tcp) -> bool:
    """Whether a packet of the client's reaches the server."""
    return isinstance(from_client(target, packet), Sent)


def server_says(target: EbpfTarget, packet: Tcp) -> bool:
    """Whether a packet of the server's reaches the client."""
    return isinstance(from_server(target, packet), Sent)


def ending(handshake: Handshake) -> list[tuple[int, Tcp]]:
    """Both FINs and their ACKs: where they arrive, and what."""
    end, answered = len(HEAD), len(ANSWER)
    return [
        (SERVER_PORT, handshake.reply(ANSWER, flags=FIN)),
        (CLIENT_PORT, handshake.segment(b"", at=end, answered=answered + 1, flags=FIN)),
        (SERVER_PORT, handshake.reply(at=answered + 1, received=end + 1)),
    ]


def end(target: EbpfTarget, handshake: Handshake) -> None:
    for port, packet in ending(handshake):
        assert isinstance(target.receive(port, packet.arriving(port)), Sent)


def begin_next(target: EbpfTarget) -> Handshake:
    """The client's next connection from the same port."""
    handshake = shake_hands(target, isn=NEXT_ISN)
    assert sent(from_client(target, handshake.segment()), SERVER_PORT) == handshake.syn()
    return handshake


# Handed over


@pytest.mark.parametrize("direction", list(Direction))
def test_what_is_handed_over_is_a_splice_like_others(target: EbpfTarget, direction: Direction) -> None:
    handshake = connected(target)
    splice = handshake.splice()
    assert target.splices() == []
    admitted = target.hand_over(splice.translations()[direction].match)
    assert admitted is not None
    assert (admitted.splice, admitted.label, admitted.followed) == (splice, LABEL, None)
    assert target.splices() == [splice]
    assert target.entries() == {}
    reply = handshake.reply(ANSWER)
    assert sent(from_server(target, reply), CLIENT_PORT) == handshake.to_client(reply).packet()
    assert target.hand_over(splice.translations()[direction].match) is None
    (volumes,) = target.traffic([splice.flow])
    assert volumes is not None
    assert volumes == ((1, len(HEAD)), (1, len(ANSWER)))


def test_it_can_be_updated_and_removed(target: EbpfTarget) -> None:
    handshake = connected(target)
    splice = handshake.splice()
    assert target.hand_over(splice.translations()[0].match)
    moved = replace(splice, pivot=ISN)
    target.update(moved)
    assert target.splices() == [moved]
    more = handshake.segment(b"more", at=len(HEAD))
    assert isinstance(from_client(target, more), Punted)
    target.remove(splice.flow)
    assert target.splices() == []
    assert from_server(target, handshake.reply(ANSWER)) == Passed()
    assert target.counters().punts[Reason.MISS] == 0


def test_its_end_is_reported(target: EbpfTarget) -> None:
    handshake = connected(target)
    first, *others = ending(handshake)
    assert server_says(target, first[1])
    assert target.hand_over(handshake.splice().translations()[0].match)
    for port, packet in others:
        target.receive(port, packet.arriving(port))
    assert target.closed() == [Closed(handshake.splice().flow, reset=False)]


def test_before_that_it_is_not(target: EbpfTarget) -> None:
    handshake = connected(target)
    end(target, handshake)
    assert target.closed() == []
    assert target.hand_over(handshake.splice().translations()[0].match) is None


def test_what_lasts_is_taken_over(target: EbpfTarget) -> None:
    handshake = connected(target)
    target.blanks.turn(0)
    assert target.blanks.take() == []
    target.blanks.turn(0)
    (admitted,) = target.blanks.take()
    assert admitted.splice == handshake.splice()
    assert target.blanks.take() == []


def test_another_one_in_the_same_record_is_not(impatient: EbpfTarget) -> None:
    handshake = connected(impatient)
    impatient.blanks.turn(0)
    before = number_of(impatient)
    end(impatient, handshake)
    while True:
        # Records have their turns.
        following = shake_hands(impatient, isn=NEXT_ISN)
        let_in(impatient, following)
        if number_of(impatient) == before:
            break
        end(impatient, following)
    impatient.blanks.turn(0)
    assert impatient.blanks.take() == []
    impatient.blanks.turn(0)
    (admitted,) = impatient.blanks.take()
    assert admitted.splice == following.splice()


def test_a_routed_one_has_a_pivot_and_follows_precedents(target: EbpfTarget) -> None:
    handshake = connected(target, routed=True)
    splice, following = handshake.splice(routed=True), handshake.segment(at=len(HEAD), answered=len(ANSWER))
    assert isinstance(from_client(target, following), Punted)
    target.hold(Precedent(VIP, SERVER, SERVER_ID, HEAD, 1, admission().until))
    unanswered = handshake.segment(at=len(HEAD))
    assert isinstance(from_client(target, unanswered), Punted)
    assert sent(from_client(target, following), SERVER_PORT) == handshake.to_server(following).packet()
    admitted = target.hand_over(splice.translations()[0].match)
    assert admitted is not None
    pivot = ISN + 1 + 2 * len(HEAD)
    assert admitted.splice == replace(splice, pivot=pivot)
    assert admitted.followed == Followed(pivot, ISN + 1 + len(HEAD), handshake.number + 1 + len(ANSWER) & MASK)


def test_what_precedents_have_moved_is_told(target: EbpfTarget) -> None:
    handshake = connected(target, routed=True)
    admitted = target.hand_over(handshake.splice().translations()[0].match)
    assert admitted is not None
    assert admitted.followed == Followed(ISN + 1 + len(HEAD), ISN + 1, handshake.number + 1)


# As long as it is the program's own


def test_a_syn_is_punted(target: EbpfTarget) -> None:
    handshake = connected(target)
    syn = Tcp(source=CLIENT, destination=VIP, sequence=NEXT_ISN, flags=tcp.SYN, acknowledgment=0)
    assert from_client(target, syn) == Punted(Reason.SYN, syn.punted(Reason.SYN, CLIENT_PORT))
    repeated = handshake.syn_ack()
    assert from_server(target, repeated) == Punted(Reason.SYN, repeated.punted(Reason.SYN, SERVER_PORT))


def test_the_slow_path_may_have_packets_translated(target: EbpfTarget) -> None:
    handshake = connected(target)
    reply = handshake.reply(ANSWER)
    verdict = target.inject(reply.injected(Action.TRANSLATE, SERVER_PORT))
    assert sent(verdict, CLIENT_PORT) == handshake.to_client(reply).packet()


# The next connection


def test_a_syn_after_the_end_begins_the_next_one(target: EbpfTarget) -> None:
    end(target, connected(target))
    following = begin_next(target)
    assert sent(from_server(target, following.syn_ack()), SERVER_PORT) == following.request()


@pytest.mark.parametrize("flags", [tcp.RST, tcp.RST | tcp.ACK])
def test_a_reset_is_an_end(target: EbpfTarget, flags: int) -> None:
    handshake = connected(target)
    assert client_says(target, handshake.segment(b"", at=len(HEAD), flags=flags))
    assert target.closed() == []
    begin_next(target)


def test_what_comes_late_passes(target: EbpfTarget) -> None:
    handshake = connected(target)
    end(target, handshake)
    for port, packet in ending(handshake):
        assert isinstance(target.receive(port, packet.arriving(port)), Sent)
    assert client_says(target, handshake.segment())
    assert client_says(target, handshake.segment(b"", at=len(HEAD) + 1, answered=len(ANSWER) + 1, flags=tcp.ACK))


def test_a_cookie_that_was_given_before_the_end(target: EbpfTarget) -> None:
    """The SYN came while the connection lived, and the slow path has answered."""
    ready(target, admission())
    following = shake_hands(target, isn=NEXT_ISN)
    handshake = shake_hands(target)
    let_in(target, handshake)
    end(target, handshake)
    ack = following.segment(b"", flags=tcp.ACK)
    assert target.takes(CLIENT_PORT, ack.arriving(CLIENT_PORT))
    assert sent(from_client(target, following.segment()), SERVER_PORT) == following.syn()


def test_a_number_that_is_no_cookie(target: EbpfTarget) -> None:
    handshake = connected(target)
    end(target, handshake)
    late = handshake.segment(at=1_000_000, answered=1024)
    assert sent(from_client(target, late), SERVER_PORT) == handshake.to_server(late).packet()


def test_a_cookie_before_the_end_of_the_stream_is_the_old_ones(target: EbpfTarget) -> None:
    ready(target, admission())
    earlier = shake_hands(target, isn=ISN - 1_000_000)
    handshake = shake_hands(target)
    let_in(target, handshake)
    end(target, handshake)
    late = earlier.segment()
    assert sent(from_client(target, late), SERVER_PORT) == handshake.to_server(late).packet()


def test_another_vip_may_use_the_servers_4_tuple_after_the_end(target: EbpfTarget) -> None:
    end(target, connected(target))
    other = Endpoint(VIP.address, 81)
    target.listen((Listener(VIP, FULL), Listener(other, FULL)))
    target.admit(replace(admission(), vip=other))
    assert client_says(target, first_segment(target, other))


def test_so_may_the_slow_path(target: EbpfTarget) -> None:
    handshake = connected(target)
    end(target, handshake)
    syn = Tcp(source=CLIENT, destination=SERVER, flags=tcp.SYN, sequence=NEXT_ISN, acknowledgment=0)
    frame = syn.injected(Action.ROUTE, CLIENT_PORT, InjectFlags.EXPECT_REPLY)
    assert sent(target.inject(frame), SERVER_PORT) == syn.packet()
    other = handshake.reply()
    assert from_server(target, other) == Punted(Reason.MISS, other.punted(Reason.MISS, SERVER_PORT))


# Records


def test_records_are_used_again(impatient: EbpfTarget) -> None:
    ready(impatient, admission())
    numbers = set()
    for round_ in range(600):
        handshake = shake_hands(impatient, isn=ISN + 1000 * round_)
        let_in(impatient, handshake)
        numbers.add(number_of(impatient))
        end(impatient, handshake)
    assert len(numbers) <= impatient.blanks.count
    assert impatient.counters().admitted[LABEL] == 600


def test_one_that_is_set_aside_twice_is_used_once(impatient: EbpfTarget) -> None:
    handshake = connected(impatient)
    number = number_of(impatient)
    end(impatient, handshake)
    for _ in range(3):
        impatient.set_aside(number)
    seen = []
    for round_ in range(2 * impatient.blanks.count):
        following = shake_hands(impatient, isn=NEXT_ISN + 1000 * round_)
        let_in(impatient, following)
        seen.append(number_of(impatient))
        impatient.set_aside(seen[-1])
        end(impatient, following)
    apart = [index for index, one in enumerate(seen) if one == number]
    assert all(later - earlier > 1 for earlier, later in pairwise(apart))


def test_without_blank_records_nobody_is_let_in(target: EbpfTarget) -> None:
    ready(target, admission())
    verdicts: list[Verdict] = []
    for port in range(target.blanks.count + 1):
        handshake = shake_hands(target, client=CLIENT._replace(port=20000 + port))
        verdicts.append(from_client(target, handshake.segment()))
    assert sum(isinstance(verdict, Sent) for verdict in verdicts) == len(set(target.entries().values()))
    assert isinstance(verdicts[-1], Punted)


# Two processors


def test_two_processors_let_a_connection_in_once(impatient: EbpfTarget) -> None:
    ready(impatient, admission())
    for number in range(100):
        handshake = shake_hands(impatient, client=CLIENT._replace(port=30000 + number))
        impatient.receive_twice(CLIENT_PORT, handshake.segment().arriving(CLIENT_PORT))
        assert len(impatient.entries()) == 2
        impatient.receive_twice(SERVER_PORT, handshake.syn_ack().arriving(SERVER_PORT))
        counters = impatient.counters()
        assert counters.admitted[LABEL] == number + 1
        assert counters.punts[Reason.MISS] == 0
        assert counters.servers[SERVER_ID][Direction.TO_SERVER].packets == number + 1
        assert impatient.hand_over(handshake.splice().translations()[0].match)


def test_two_processors_give_up_once(impatient: EbpfTarget) -> None:
    for number in range(100):
        ready(impatient, admission())
        handshake = shake_hands(impatient, client=CLIENT._replace(port=30000 + number))
        assert client_says(impatient, handshake.segment())
        refusal = replace(handshake.syn_ack(), flags=tcp.RST | tcp.ACK, options=b"")
        impatient.receive_twice(SERVER_PORT, refusal.arriving(SERVER_PORT))
        assert impatient.entries() == {}
