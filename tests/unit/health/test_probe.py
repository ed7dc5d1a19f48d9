"""Health checks: verdicts, what they learn of the servers, and what is offered to clients because of it."""

from __future__ import annotations

from random import Random

import pytest

from fastpath.records import Limits, Offer, Pivot
from slowpath.balancing.member import Member
from slowpath.health.http_check import Contains, HttpCheck
from slowpath.health.offer import FIRST_WINDOW, common
from slowpath.health.probe import Policy, Probe
from slowpath.health.prober import Prober
from slowpath.health.tls_check import TlsCheck
from slowpath.health.verdict import Hysteresis
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from slowpath.wire.tcp import ACK, ECE, FIN, RST, SYN, Segment

SERVER = Endpoint.parse("10.2.0.2:80")
HTTP = Policy(HttpCheck("/healthz"), interval=2.0, timeout=1.0, hysteresis=Hysteresis(rise=2, fall=3))
TCP = Policy(interval=2.0, timeout=1.0, hysteresis=Hysteresis(rise=2, fall=3))
LIMITS = Limits(1000, True, Pivot.EXACT, False, True, False)
SYN_ACK_OPTIONS = Options(1400, 9, True, (5, 0))


class Bench:
    """A prober with one probe, and the server's side of the wire."""

    def __init__(self, policy: Policy, *, route: bool = True) -> None:
        self.now = 100.0
        self.probe = Probe(Member(0, SERVER, up=False), policy)
        self.prober = Prober(lambda server: bytes((10, 2, 0, 1)) if route else None, Random(1))
        self.prober.assign([self.probe])
        self.sent: list[Segment] = []

    def until_next(self) -> None:
        deadline = self.prober.next_deadline
        assert deadline is not None
        self.now = max(self.now, deadline)
        self.sent = self.prober.advance(self.now)

    def reply(self, flags: int, payload: bytes = b"", options: Options = Options()) -> None:
        """Answer the last segment that was sent."""
        last = self.sent[-1]
        sequence = 7000 if flags & SYN else 7001
        ack = (last.sequence + last.length) % 2**32
        answer = Segment(last.destination, last.source, sequence, ack, flags, 60000, options, payload)
        sent = self.prober.receive(answer, self.now)
        assert sent is not None
        self.sent = sent or self.sent

    def good(self, status: int = 200) -> None:
        self.until_next()
        self.reply(SYN | ACK, options=SYN_ACK_OPTIONS)
        stamped = Options(timestamps=(6, 0))
        self.reply(ACK, b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status, stamped)

    def refused(self) -> None:
        self.until_next()
        self.reply(RST | ACK)


def test_a_get_that_is_answered_means_up() -> None:
    bench = Bench(HTTP)
    bench.until_next()
    assert bench.sent[0].flags & SYN
    bench.reply(SYN | ACK, options=SYN_ACK_OPTIONS)
    assert bench.sent[0].payload.startswith(b"GET /healthz HTTP/1.1\r\nHost: 10.2.0.2:80\r\n")
    assert not bench.probe.checked
    bench.reply(ACK, b"HTTP/1.1 200 OK\r\n\r\n", Options(timestamps=(6, 0)))
    assert bench.sent[-1].flags & RST
    assert (bench.probe.checked, bench.probe.member.up, bench.probe.why) == (True, True, "")


@pytest.mark.parametrize(("status", "why"), [(200, ""), (304, ""), (404, "status 404"), (500, "status 500")])
def test_the_status_decides(status: int, why: str) -> None:
    bench = Bench(HTTP)
    bench.good(status)
    assert (bench.probe.member.up, bench.probe.why) == (not why, why)


def test_a_handshake_is_enough_without_a_path() -> None:
    bench = Bench(TCP)
    bench.until_next()
    bench.reply(SYN | ACK, options=SYN_ACK_OPTIONS)
    assert bench.probe.member.up
    assert bench.sent[-1].flags & RST


def test_rise_and_fall() -> None:
    bench = Bench(HTTP)
    bench.refused()
    assert (bench.probe.member.up, bench.probe.why) == (False, "connection refused")
    history = []
    for good in (True, False, True, True, False, False, True, False, False, False):
        (bench.good if good else bench.refused)()
        history.append(bench.probe.member.up)
    #            one good: no   a bad one starts over   two: up   two bad: no   three bad: down
    assert history == [False, False, False, True, True, True, True, True, True, False]


def test_silence_is_a_failure_after_the_timeout() -> None:
    bench = Bench(HTTP)
    started = bench.now
    syns = 0
    while not bench.probe.checked:
        bench.until_next()
        syns += sum(each.flags == SYN | ECE | 0x80 for each in bench.sent)
    assert bench.now == started + HTTP.timeout
    assert syns == 3  # at 0, 0.2 and 0.6 s: one lost SYN does not make a server look dead
    assert bench.probe.why == "no SYN-ACK within 1 s"
    bench.until_next()
    assert bench.now == started + HTTP.interval


def test_a_garbled_response_is_a_failure() -> None:
    bench = Bench(HTTP)
    bench.until_next()
    bench.reply(SYN | ACK, options=SYN_ACK_OPTIONS)
    bench.reply(ACK, b"SSH-2.0-OpenSSH_9.2\r\n", Options(timestamps=(6, 0)))
    assert not bench.probe.member.up and bench.probe.why


def test_no_route_is_a_failure_with_a_reason() -> None:
    bench = Bench(HTTP, route=False)
    bench.until_next()
    assert (bench.sent, bench.probe.why, bench.probe.checked) == ([], "no route to the server", True)
    assert bench.prober.next_deadline == bench.now + HTTP.interval


def test_a_probe_that_cannot_be_made_harms_no_other() -> None:
    impossible = Policy(tls=TlsCheck.made(".no-server-name", None, http=False), interval=2.0)
    broken, good = Probe(Member(0, SERVER, up=True), impossible), Probe(Member(1, SERVER, up=False), TCP)
    prober = Prober(lambda server: bytes((10, 2, 0, 1)), Random(1))
    prober.assign([broken, good])
    [syn] = prober.advance(100.0)
    assert syn.flags & SYN and not broken.member.up and broken.failures == {"defect": 1}
    assert broken.deadline == 102.0


def test_what_a_server_says_after_its_status_is_ignored() -> None:
    bench = Bench(HTTP)
    bench.good()
    probe = bench.sent[-1].source
    late = Segment(SERVER, probe, 1, 1, ACK, 0, Options(), b"the body")
    assert bench.prober.receive(late, bench.now) == []


def test_segments_of_others_are_left_to_others() -> None:
    bench = Bench(HTTP)
    bench.until_next()
    last = bench.sent[0]
    stranger = Segment(last.destination, Endpoint(last.source.address, 5), 1, 1, ACK, 0, Options())
    assert bench.prober.receive(stranger, bench.now) is None


def test_a_syn_ack_shows_what_the_server_has() -> None:
    bench = Bench(HTTP)
    bench.until_next()
    bench.reply(SYN | ACK | ECE, options=SYN_ACK_OPTIONS)
    assert bench.probe.offer == Offer(1400, FIRST_WINDOW, 9, True, True, True)


def test_the_offer_is_what_all_servers_have() -> None:
    full = Offer(1460, 4000, 7, True, True, True)
    assert common([full, full], LIMITS) == full
    assert common([full, Offer(1400, 3000, 9, True, False, False)], LIMITS) == Offer(1400, 3000, 7, True, False, False)
    assert common([full, Offer(1460, 4000, None, False, True, True)], LIMITS) == Offer(
        1460, 4000, None, False, True, True
    )
    without = Limits(1000, False, Pivot.EXACT, False, True, False)
    assert not common([full], without).timestamps
    assert common([], LIMITS) == Offer(536, FIRST_WINDOW)


def test_only_news_are_reported() -> None:
    bench = Bench(HTTP)
    assert not bench.prober.take_learned()
    bench.good()
    assert bench.prober.take_learned()
    bench.good()
    assert not bench.prober.take_learned()
    bench.until_next()
    bench.reply(SYN | ACK, options=Options(1300, 9, True, (5, 0)))
    assert bench.prober.take_learned()


def test_a_silent_server_is_news_once() -> None:
    bench = Bench(TCP)
    while not bench.probe.checked:
        bench.until_next()
    assert bench.prober.take_learned()
    for _ in range(10):
        bench.until_next()
    assert not bench.prober.take_learned()


def test_another_port_and_a_preamble() -> None:
    bench = Bench(Policy(HttpCheck("/"), port=8081, preamble=b"PROXY UNKNOWN\r\n"))
    bench.until_next()
    assert bench.sent[0].destination == Endpoint(SERVER.address, 8081)
    bench.reply(SYN | ACK, options=SYN_ACK_OPTIONS)
    assert bench.sent[0].payload.startswith(b"PROXY UNKNOWN\r\nGET / HTTP/1.1\r\nHost: 10.2.0.2:80\r\n")
    bench.reply(ACK, b"HTTP/1.1 200 OK\r\n\r\n", Options(timestamps=(6, 0)))
    assert bench.probe.member.up


def test_a_bare_handshake_says_nothing() -> None:
    bench = Bench(Policy(preamble=b"PROXY UNKNOWN\r\n"))
    bench.until_next()
    bench.reply(SYN | ACK, options=SYN_ACK_OPTIONS)
    assert bench.probe.member.up and not any(segment.payload for segment in bench.sent)


def test_tls_starts_with_a_client_hello_and_fails_without_a_server_hello() -> None:
    bench = Bench(Policy(tls=TlsCheck.made("www.example.com", None, http=False)))
    bench.until_next()
    bench.reply(SYN | ACK, options=SYN_ACK_OPTIONS)
    assert bench.sent[0].payload.startswith(b"\x16\x03") and b"www.example.com" in bench.sent[0].payload
    bench.reply(ACK, b"HTTP/1.1 400 Bad Request\r\n\r\n", Options(timestamps=(6, 0)))
    assert (bench.probe.why, dict(bench.probe.failures)) == ("TLS: WRONG_VERSION_NUMBER", {"tls": 1})


def test_a_body_that_comes_in_pieces_and_ends_with_the_stream() -> None:
    bench = Bench(Policy(HttpCheck("/", body=Contains("all is well"))))
    bench.until_next()
    bench.reply(SYN | ACK, options=SYN_ACK_OPTIONS)
    request = bench.sent[-1]
    pieces = [b"HTTP/1.0 200 OK\r\n\r\nall ", b"is ", b"well"]
    sequence = 7001
    for number, piece in enumerate(pieces):
        flags = ACK | (FIN if number == len(pieces) - 1 else 0)
        ack = request.sequence + request.length
        stamps = Options(timestamps=(6, 0))
        bench.prober.receive(Segment(SERVER, request.source, sequence, ack, flags, 60000, stamps, piece), bench.now)
        sequence += len(piece)
    assert bench.probe.member.up


def test_failures_are_counted_by_reason() -> None:
    bench = Bench(HTTP)
    bench.refused()
    bench.refused()
    bench.good(500)
    while bench.probe.failures.total() < 4:
        bench.until_next()
    assert bench.probe.failures == {"refused": 2, "status": 1, "timeout": 1}


def test_a_server_that_comes_up_again_is_known_to_have() -> None:
    bench = Bench(HTTP)
    bench.good()
    assert bench.probe.member.up_since is None
    for _ in range(3):
        bench.refused()
    bench.good()
    bench.good()
    assert bench.probe.member.up_since == bench.now
