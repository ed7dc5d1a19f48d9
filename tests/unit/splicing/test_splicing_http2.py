"""HTTP/2 with prior knowledge through the slow path, on good and bad networks."""

from __future__ import annotations

from random import Random

import pytest
from hpack import Decoder
from hyperframe.frame import DataFrame, Frame, GoAwayFrame, HeadersFrame, SettingsFrame

from fastpath.profile import HOST, SWITCH, Profile
from slowpath.http.answers import Answer
from slowpath.http.h2_reader import ErrorCode
from slowpath.proxy_protocol import Version, header
from slowpath.routing.matchers import Exact
from slowpath.routing.router import Rule
from slowpath.splicing.protocols import Http
from slowpath.splicing.service import Timeouts
from slowpath.splicing.session import Session
from slowpath.tcp.cookie import Check, check
from slowpath.wire import tcp
from slowpath.wire.options import Options
from slowpath.wire.tcp import ACK, Segment
from tests.simulation.network import Impairment
from tests.simulation.peer import Peer
from tests.simulation.world import COOKIES, SERVERS, VIP
from tests.unit.http.test_h2_reader import ACKNOWLEDGMENT, GET, headers, stream
from tests.unit.splicing.protocols import HTTP2, LIMIT, ROUGH, answer, told, world


def frames(data: bytes) -> list[Frame]:
    """HTTP/2 frames, as a client reads them."""
    found = []
    while data:
        frame, length = Frame.parse_frame_header(memoryview(data[:9]))
        frame.parse_body(memoryview(data[9 : 9 + length]))
        found.append(frame)
        data = data[9 + length :]
    return found


def decoded(frame: HeadersFrame, table_size: int = 4096) -> dict[str, str]:
    """The fields of a header block, for a client that said how large its table is."""
    decoder = Decoder()
    decoder.max_allowed_table_size = table_size
    return {str(name): str(value) for name, value in decoder.decode(frame.data)}


def test_http2_passes_whole(seed: int) -> None:
    data = HTTP2 + Random(6).randbytes(20_000)
    for round_ in range(10):
        made = world(Http(LIMIT), seed=seed + round_, impairment=ROUGH)
        made.serve = answer(len(data), bytes(30_000))
        client = made.client()
        client.write(data)
        made.clock.run(600.0, lambda client=client: len(client.received) >= 30_000)  # type: ignore[misc]
        [server] = made.server_side.values()
        assert server.received == data, f"seed {seed + round_}"


@pytest.mark.parametrize("pieces", [[1, 2, 3], [3], [4], [20], [24], [24, 33], [24, 39, 41], [30, 60]])
def test_the_preface_may_come_in_pieces(pieces: list[int]) -> None:
    made = world(Http(LIMIT), Rule({"web": 1}, host=Exact("www.example.com")), default=False)
    made.serve = answer(len(HTTP2), b"hello")
    client = made.client()
    for start, end in zip([0, *pieces], [*pieces, len(HTTP2)], strict=True):
        client.write(HTTP2[start:end])
        made.clock.run(0.01)
    made.clock.run(1.0)
    [server] = made.server_side.values()
    assert (bytes(server.received), bytes(client.received)) == (HTTP2, b"hello")


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"PROPFIND", b"P"])
def test_methods_that_begin_alike_are_told_apart(method: bytes) -> None:
    made = world(Http(LIMIT))
    head = method + b" / HTTP/1.1\r\nHost: a\r\n\r\n"
    made.serve = answer(len(head), b"hello")
    client = made.client()
    for byte in head:
        client.write(bytes([byte]))
        made.clock.run(0.001)
    made.clock.run(1.0)
    assert bytes(client.received[:5]) == (b"HTTP/" if method == b"P" else b"hello")


@pytest.mark.parametrize("version", [None, Version.V2], ids=["plain", "proxy"])
@pytest.mark.parametrize("profile", [HOST, SWITCH], ids=["host", "switch"])
def test_a_client_that_waits_for_settings_gets_ours(profile: Profile, version: Version | None, seed: int) -> None:
    """And its server, which knows nothing of them, gets a stream without what acknowledges them."""
    greeting = SettingsFrame(0).serialize()
    rule = Rule({"web": 1}, host=Exact("www.example.com"))
    reply = Random(7).randbytes(20_000)
    body = Random(8).randbytes(20_000)
    whole = len(greeting + reply)
    for impairment in (Impairment(), ROUGH):
        for round_ in range(10):
            made = world(Http(LIMIT), rule, default=False, seed=seed + round_, impairment=impairment, profile=profile)
            made.service.pools["web"].proxy_protocol = version
            client = made.client()
            expected = HTTP2 + body
            if version is not None:
                expected = header(version, client.local, VIP) + expected
            made.serve = answer(len(expected), reply)
            client.write(stream())
            started = made.clock.now
            made.clock.run(60.0, lambda client=client: len(client.received) >= len(greeting))  # type: ignore[misc]
            assert client.received == greeting
            assert impairment is ROUGH or made.clock.now - started < 0.06
            client.write(ACKNOWLEDGMENT + headers(GET).serialize() + body)
            made.clock.run(600.0, lambda client=client: len(client.received) >= whole)  # type: ignore[misc]
            client.shutdown()
            made.clock.run(60.0)
            [server] = made.server_side.values()
            assert bytes(server.received) == expected, f"seed {seed + round_}"
            assert bytes(client.received) == greeting + reply, f"seed {seed + round_}"
            assert (made.records, len(made.splicer.connections())) == (0, 0), f"seed {seed + round_}"


def test_a_body_crosses_the_greeting(seed: int) -> None:
    """The client has asked before ours came, and sends all that its window has room for."""
    body = b"".join(DataFrame(1, bytes(13107)).serialize() for _ in range(5))
    for impairment in (Impairment(), ROUGH):
        made = world(Http(LIMIT), seed=seed, impairment=impairment)
        made.serve = answer(len(HTTP2 + body), b"reply")
        client = made.client()
        client.write(stream())
        made.clock.run(60.0, lambda client=client: bool(client.received))  # type: ignore[misc]
        client.write(headers(GET).serialize() + body)
        made.clock.run(2.0)
        client.write(ACKNOWLEDGMENT)
        made.clock.run(600.0, lambda client=client: client.received.endswith(b"reply"))  # type: ignore[misc]
        [server] = made.server_side.values()
        assert server.received == HTTP2 + body, f"seed {seed}"


def test_what_acknowledges_the_greeting_passes_for_no_cookie() -> None:
    """One segment in a thousand has numbers that would prove a cookie, were they those of a new connection."""
    made = world(Http(LIMIT))
    client = made.client()
    client.write(stream())
    made.clock.run(0.1)
    [session] = made.splicer.connections()
    assert isinstance(session, Session)
    acknowledgment, isns = session.client.snd_una, (session.client_isn + offset for offset in range(60, 8000))
    passing = [isn for isn in isns if check(COOKIES, session.flow, isn, acknowledgment - 1)[0] is Check.VALID]
    assert passing
    for isn in passing:
        segment = Segment(client.local, VIP, isn + 1, acknowledgment, ACK, 1000, Options(), b"x")
        made.inject_raw(0, tcp.build(segment))
        assert list(made.splicer.connections()) == [session]


def test_a_greeted_client_is_told_what_is_wrong() -> None:
    made = world(Http(LIMIT), default=False)
    client = made.client()
    client.write(stream())
    made.clock.run(1.0)
    client.write(ACKNOWLEDGMENT + headers(GET).serialize())
    made.clock.run(1.0)
    kinds = [type(frame) for frame in frames(bytes(client.received))]
    assert kinds == [SettingsFrame, SettingsFrame, SettingsFrame, HeadersFrame, DataFrame, GoAwayFrame]


def test_a_greeted_client_that_goes_away_leaves_nothing() -> None:
    for goes in (Peer.abort, Peer.shutdown):
        made = world(Http(LIMIT))
        client = made.client()
        client.write(stream())
        made.clock.run(1.0)
        goes(client)
        made.clock.run(10.0)
        client.shutdown()
        made.clock.run(10.0)
        assert not made.splicer.connections()


def test_a_greeted_client_that_vanishes_is_forgotten() -> None:
    made = world(Http(LIMIT), timeouts=Timeouts(head=60.0))
    client = made.client()
    client.write(stream())
    made.clock.run(0.035)
    del made.clients[client.local]
    made.clock.run(120.0)
    assert not made.splicer.connections()


def test_a_head_that_comes_in_parts_is_waited_for() -> None:
    made = world(Http(LIMIT), Rule({"web": 1}, host=Exact("www.example.com")), default=False)
    made.serve = answer(len(HTTP2), b"hello")
    client = made.client()
    for part in (HTTP2[:-10], HTTP2[-10:]):
        client.write(part)
        made.clock.run(1.0)
    assert client.received == b"hello"


def test_an_answer_of_our_own_is_a_response() -> None:
    made = world(Http(LIMIT), Rule({"web": 1}, host=Exact("other")), default=False)
    settings, acknowledged, head, data, last = frames(told(made, HTTP2))
    assert isinstance(settings, SettingsFrame) and not settings.flags
    assert isinstance(acknowledged, SettingsFrame) and "ACK" in acknowledged.flags
    assert isinstance(head, HeadersFrame) and head.stream_id == 1
    fields = decoded(head)
    assert isinstance(data, DataFrame) and "END_STREAM" in data.flags
    assert (fields[":status"], int(fields["content-length"])) == ("404", len(data.data))
    assert isinstance(last, GoAwayFrame) and (last.last_stream_id, last.error_code) == (1, ErrorCode.NO_ERROR)


def test_to_a_head_request_without_a_body() -> None:
    made = world(Http(LIMIT), default=False)
    *_, head, last = frames(told(made, stream(headers([(":method", "HEAD"), *GET[1:]]))))
    assert isinstance(head, HeadersFrame) and "END_STREAM" in head.flags
    assert isinstance(last, GoAwayFrame)


class Long:
    """A reply with a long body."""

    def answer(self, request: object, port: int) -> Answer:
        return Answer(200, (("X-Field", "y"),), b"z" * 40_000)


@pytest.mark.parametrize(("window", "size"), [(65535, 40_000), (1000, 0)])
def test_a_long_body_fits_the_clients_frames_and_window(window: int, size: int) -> None:
    made = world(Http(LIMIT), Rule(reply=Long()))
    asked = stream(
        headers(GET),
        settings=SettingsFrame(0, {SettingsFrame.INITIAL_WINDOW_SIZE: window, SettingsFrame.HEADER_TABLE_SIZE: 0}),
    )
    found = frames(told(made, asked))
    body = [frame for frame in found if isinstance(frame, DataFrame)]
    assert sum(len(frame.data) for frame in body) == size
    assert all(len(frame.data) <= 16384 for frame in body)
    assert [frame for frame in found if "END_STREAM" in frame.flags] == [found[-2]]
    [head] = [frame for frame in found if isinstance(frame, HeadersFrame)]
    assert decoded(head, table_size=0)["x-field"] == "y"


@pytest.mark.parametrize(
    ("protocol", "sent", "error"),
    [
        (Http(LIMIT, http2=False), HTTP2, ErrorCode.HTTP_1_1_REQUIRED),
        (Http(LIMIT, http2=False), stream(), ErrorCode.HTTP_1_1_REQUIRED),
        (Http(LIMIT), HTTP2[:-10], ErrorCode.NO_ERROR),
        (Http(LIMIT), stream(settings=headers(GET)), ErrorCode.PROTOCOL_ERROR),
    ],
    ids=["not here", "settings not here", "late", "malformed"],
)
def test_without_a_request_the_connection_goes_away(protocol: Http, sent: bytes, error: ErrorCode) -> None:
    made = world(protocol, timeouts=Timeouts(head=2.0))
    *before, last = frames(told(made, sent))
    assert isinstance(last, GoAwayFrame) and (last.last_stream_id, last.error_code) == (0, error)
    assert [type(frame) for frame in before] == [SettingsFrame]
    assert not made.server_side


@pytest.mark.parametrize("http2", [True, False])
def test_an_upgrade_to_http2_is_offered_where_http2_is_taken(http2: bool) -> None:
    head = (
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n"
    )
    made = world(Http(LIMIT, http2=http2))
    client = made.client()
    client.write(head + b"\r\n")
    made.clock.run(1.0)
    [server] = made.server_side.values()
    assert server.received.startswith(b"GET / HTTP/1.1\r\nHost: a\r\n") and server.received.endswith(b"\r\n\r\n")
    assert (b"h2c" in server.received) is http2


def test_a_client_that_acknowledges_settings_but_no_bytes_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """No TCP does so, but an attacker may: the greeting's retransmission is due while we connect."""
    made = world(Http(LIMIT))
    made.dead = set(SERVERS)
    client = made.client()
    deliver = client.deliver
    monkeypatch.setattr(client, "deliver", lambda packet: None if tcp.parse(packet).payload else deliver(packet))
    client.write(stream())
    made.clock.run(0.1)
    client.write(ACKNOWLEDGMENT + headers(GET).serialize())
    made.clock.run(30.0)
    assert made.splicer.statistics.responses == {("web", 504): 1}
    assert not made.splicer.connections()


def test_a_later_request_is_of_http1() -> None:
    assert Http(LIMIT).opening(first=False).feed(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") is not None
