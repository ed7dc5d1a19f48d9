"""The connection's answers to single segments, by the sections of the RFCs that ask for them."""

from __future__ import annotations

import pytest

from slowpath.tcp.connection import LEAST_MSS, MAXIMUM_RETRIES, TIME_WAIT_SECONDS, Connection, Parameters
from slowpath.tcp.states import TRANSITIONS, Event, State
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from slowpath.wire.tcp import ACK, FIN, PSH, RST, SYN, Segment

LOCAL, REMOTE = Endpoint.parse("10.0.0.1:80"), Endpoint.parse("10.0.0.2:5000")
ISS, IRS = 2**32 - 3, 2**32 - 2


def accepted(**parameters: int | bool) -> Connection:
    settings = Parameters(iss=ISS, irs=IRS, mss=100)
    for name, value in parameters.items():
        setattr(settings, name, value)
    return Connection.accepted(LOCAL, REMOTE, settings, rto=1.0, receive_limit=1000)


def segment(offset: int, flags: int = ACK, payload: bytes = b"", *, ack: int = 0, window: int = 5000) -> Segment:
    """A segment of the peer: `offset` and `ack` count from the first byte of each direction."""
    numbers = (IRS + 1 + offset) % 2**32, (ISS + 1 + ack) % 2**32
    return Segment(REMOTE, LOCAL, *numbers, flags, window, Options(), payload)


def out(connection: Connection) -> list[tuple[int, int, int, bytes]]:
    """What was sent, and is forgotten now: (offset, ack offset, flags, payload)."""
    sent = [
        ((each.sequence - ISS - 1) % 2**32, (each.acknowledgment - IRS - 1) % 2**32, each.flags, each.payload)
        for each in connection.outbox
    ]
    connection.outbox.clear()
    return sent


def state(connection: Connection) -> State:
    return connection.state


def connecting(
    options: Options = Options(mss=1460, window_scale=7, sack_permitted=True, timestamps=(77, 0)),
) -> Connection:
    syn = Segment(LOCAL, REMOTE, ISS, 0, SYN, 1000, options)
    return Connection.connecting(syn, 0.0, rto=0.2, receive_limit=1000)


def syn_ack(ack: int = ISS + 1, flags: int = SYN | ACK, options: Options = Options(mss=1400)) -> Segment:
    return Segment(REMOTE, LOCAL, 9000, ack, flags, 3000, options)


def test_data_is_acknowledged_at_once() -> None:
    connection = accepted()
    connection.receive(segment(0, ACK | PSH, b"hello"), 0.0)
    assert connection.inbox.take() == b"hello"
    assert out(connection) == [(0, 5, ACK, b"")]


def test_withheld_data_is_acknowledged_when_asked() -> None:
    connection = accepted()
    connection.withhold = True
    connection.receive(segment(0, ACK, b"hello"), 0.0)
    connection.receive(segment(0, ACK, b"hello"), 0.3)  # sent again, as nobody acknowledged it
    assert out(connection) == []
    connection.acknowledge(0.4)
    assert out(connection) == [(0, 5, ACK, b"")]
    connection.receive(segment(0, ACK, b"hello"), 0.5)  # a copy that was on its way: RFC 9293 section 3.10.7.4
    assert out(connection) == [(0, 5, ACK, b"")]


def test_a_withheld_fin_is_left_to_the_peer() -> None:
    connection = accepted()
    connection.withhold = True
    connection.receive(segment(0, ACK | FIN, b"hello"), 0.0)
    connection.acknowledge(0.1)
    assert out(connection) == [(0, 5, ACK, b"")]
    connection.receive(segment(5, ACK | FIN), 0.2)
    assert (out(connection), connection.state) == ([], State.CLOSE_WAIT)


def test_only_a_part_of_what_is_withheld_may_be_acknowledged() -> None:
    connection = accepted()
    connection.withhold = True
    connection.receive(segment(0, ACK, b"hello, world"), 0.0)
    end = connection.inbox.next - 7
    connection.acknowledge(0.1, end)
    assert out(connection) == [(0, 5, ACK, b"")]
    connection.receive(segment(5, ACK, b", world"), 0.2)
    assert out(connection) == []


def test_segments_come_together_in_any_order() -> None:
    connection = accepted()
    for offset, payload in ((5, b" world"), (2, b"llo wo"), (0, b"he")):
        connection.receive(segment(offset, ACK, payload), 0.0)
    assert connection.inbox.take() == b"hello world"
    assert out(connection)[-1] == (0, 11, ACK, b"")


def test_what_lies_beyond_the_window_is_not_taken() -> None:
    connection = accepted()
    connection.receive(segment(1001, ACK, b"x"), 0.0)
    assert out(connection) == [(0, 0, ACK, b"")]
    connection.receive(segment(0, ACK, b"y" * 1500), 0.0)
    assert len(connection.inbox.data) == 1000
    assert connection.inbox.window == 0


def test_sending_keeps_to_mss_and_window() -> None:
    connection = accepted()
    connection.receive(segment(0, ACK, window=250), 0.0)
    connection.send(b"a" * 400, 0.0)
    assert [len(each[3]) for each in out(connection)] == [100, 100, 50]
    connection.receive(segment(0, ACK, ack=250, window=1000), 0.1)
    assert [(each[0], len(each[3])) for each in out(connection)] == [(250, 100), (350, 50)]
    assert not connection.all_acked
    connection.receive(segment(0, ACK, ack=400), 0.2)
    assert connection.all_acked and connection.deadline is None


def test_the_window_of_a_segment_is_scaled() -> None:
    connection = accepted(send_scale=3)
    connection.receive(segment(0, ACK, window=10), 0.0)
    connection.send(b"a" * 400, 0.0)
    assert [len(each[3]) for each in out(connection)] == [80]


def test_a_closed_window_is_probed() -> None:
    connection = accepted()
    connection.receive(segment(0, ACK, window=0), 0.0)
    connection.send(b"data", 0.0)
    assert out(connection) == []
    connection.tick(1.0)
    assert out(connection) == [(0, 0, ACK | PSH, b"data")]


def test_retransmission_backs_off_and_gives_up() -> None:
    connection = accepted()
    connection.send(b"data", 0.0)
    times = []
    while connection.state is not State.CLOSED:
        assert connection.deadline is not None
        times.append(connection.deadline)
        connection.tick(connection.deadline)
    assert times[:4] == [1.0, 3.0, 7.0, 15.0]  # RFC 6298 section 5.5
    assert len(times) == MAXIMUM_RETRIES + 1
    assert not connection.reset
    assert {each[:1] + each[2:] for each in out(connection)} == {(0, ACK | PSH, b"data")}


def test_an_active_close_passes_through_every_state() -> None:
    connection = accepted()
    connection.send(b"bye", 0.0)
    connection.close(0.0)
    assert state(connection) is State.FIN_WAIT_1
    assert out(connection) == [(0, 0, ACK | PSH, b"bye"), (3, 0, ACK | FIN, b"")]
    connection.receive(segment(0, ACK, ack=4), 0.1)
    assert state(connection) is State.FIN_WAIT_2
    connection.receive(segment(0, ACK | FIN, ack=4), 0.2)
    assert state(connection) is State.TIME_WAIT
    assert out(connection) == [(4, 1, ACK, b"")]
    connection.receive(segment(0, ACK | FIN, ack=4), 0.3)  # our ACK was lost
    assert out(connection) == [(4, 1, ACK, b"")]
    assert connection.deadline == 0.2 + TIME_WAIT_SECONDS
    connection.tick(connection.deadline)
    assert state(connection) is State.CLOSED


def test_a_passive_close_and_a_simultaneous_one() -> None:
    passive = accepted()
    passive.receive(segment(0, ACK | FIN), 0.0)
    assert state(passive) is State.CLOSE_WAIT
    passive.close(0.1)
    assert state(passive) is State.LAST_ACK
    passive.receive(segment(1, ACK, ack=1), 0.2)
    assert state(passive) is State.CLOSED

    simultaneous = accepted()
    simultaneous.close(0.0)
    simultaneous.receive(segment(0, ACK | FIN, ack=0), 0.1)
    assert state(simultaneous) is State.CLOSING
    simultaneous.receive(segment(1, ACK, ack=1), 0.2)
    assert state(simultaneous) is State.TIME_WAIT


def test_a_fin_waits_for_what_comes_before_it() -> None:
    connection = accepted()
    connection.receive(segment(3, ACK | FIN, b"def"), 0.0)
    assert state(connection) is State.ESTABLISHED
    connection.receive(segment(0, ACK, b"abc"), 0.1)
    assert state(connection) is State.CLOSE_WAIT
    assert connection.inbox.take() == b"abcdef"


@pytest.mark.parametrize(("offset", "resets"), [(0, True), (1, False), (-1, False), (500, False)])
def test_only_an_exact_reset_is_believed(offset: int, resets: bool) -> None:
    """RFC 5961 section 3.2."""
    connection = accepted()
    connection.receive(segment(offset, RST), 0.0)
    assert connection.reset is resets


def test_a_syn_is_challenged() -> None:
    """RFC 5961 section 4.2."""
    connection = accepted()
    connection.receive(segment(50, SYN), 0.0)
    assert out(connection) == [(0, 0, ACK, b"")]
    assert state(connection) is State.ESTABLISHED


def test_an_ack_of_the_future_is_answered_and_not_believed() -> None:
    connection = accepted()
    connection.receive(segment(0, ACK, b"data", ack=77), 0.0)
    assert out(connection) == [(0, 0, ACK, b"")]
    assert connection.inbox.take() == b""


def test_paws_refuses_an_old_timestamp() -> None:
    """RFC 7323 section 5.3."""
    connection = accepted(timestamps=True)
    for tsval, payload, offset in ((100, b"a", 0), (99, b"b", 1)):
        old = segment(offset, ACK, payload)
        old.options = Options(timestamps=(tsval, 0))
        connection.receive(old, 1.0)
    assert connection.inbox.take() == b"a"
    assert [each.options.timestamps for each in connection.outbox] == [(1000, 100), (1000, 100)]


def test_a_syn_is_repeated_until_it_is_answered() -> None:
    connection = connecting()
    connection.tick(0.2)
    connection.tick(0.61)
    assert [(each[0], each[2]) for each in out(connection)] == [(2**32 - 1, SYN)] * 3
    connection.receive(syn_ack(options=Options(1400, 9, True, (5, 77))), 0.7)
    assert state(connection) is State.ESTABLISHED
    assert connection.parameters == Parameters(ISS, 9000, 1400, 9, 7, timestamps=True)
    assert (connection.outbox, connection.deadline) == ([], None)


def test_options_that_the_peer_did_not_take_are_off() -> None:
    connection = connecting()
    connection.receive(syn_ack(), 0.1)
    assert connection.parameters == Parameters(ISS, 9000, 1400, 0, 0, timestamps=False)


def test_a_refused_connection_is_reset() -> None:
    connection = connecting()
    connection.receive(syn_ack(flags=RST | ACK, ack=5), 0.1)
    assert state(connection) is State.SYN_SENT  # not an answer to our SYN
    connection.receive(syn_ack(flags=RST | ACK), 0.1)
    assert (connection.state, connection.reset) == (State.CLOSED, True)


def test_an_old_connection_at_the_peer_is_ended_and_the_syn_repeated_at_once() -> None:
    """RFC 9293 section 3.10.7.3, and figure 9 of section 3.5.2."""
    connection = connecting()
    out(connection)
    connection.receive(syn_ack(flags=ACK, ack=12345), 0.05)
    reset, syn = connection.outbox
    assert (reset.flags, reset.sequence) == (RST, 12345)
    assert (syn.flags, syn.sequence) == (SYN, ISS)


def test_abort_tells_the_peer() -> None:
    connection = accepted()
    connection.abort(0.0)
    assert out(connection) == [(0, 0, RST | ACK, b"")]
    silent = connecting()
    out(silent)
    silent.abort(0.0)
    assert (silent.outbox, silent.state) == ([], State.CLOSED)


def test_every_state_can_end() -> None:
    """From each state some sequence of events leads to CLOSED, and none leads out of it."""
    assert all(TRANSITIONS[state, event] is State.CLOSED for state in State for event in (Event.RESET, Event.EXPIRED))
    assert {event for state, event in TRANSITIONS if state is State.CLOSED} == {Event.RESET, Event.EXPIRED}


def test_what_is_in_flight_is_sent_anew_in_segments_that_fit_the_path() -> None:
    connection = accepted(mss=1460)
    connection.send(bytes(2000), 0.0)
    assert [len(payload) for *_, payload in out(connection)] == [1460, 540]
    connection.shorten((ISS + 1 + 1460) % 2**32, 1000, 0.1)
    assert [(offset, len(payload)) for offset, _, _, payload in out(connection)] == [(0, 1000), (1000, 1000)]


@pytest.mark.parametrize(
    ("offset", "mss"), [(-1, 1000), (2000, 1000), (0, 1460), (0, 9000)], ids=["before", "after", "the same", "larger"]
)
def test_an_error_that_says_nothing_new_is_ignored(offset: int, mss: int) -> None:
    connection = accepted(mss=1460)
    connection.send(bytes(2000), 0.0)
    out(connection)
    connection.shorten((ISS + 1 + offset) % 2**32, mss, 0.1)
    assert out(connection) == []


def test_forged_errors_do_not_make_segments_tiny() -> None:
    connection = accepted(mss=1460)
    connection.send(bytes(1000), 0.0)
    out(connection)
    connection.shorten((ISS + 1) % 2**32, 1, 0.1)
    assert [len(payload) for *_, payload in out(connection)] == [LEAST_MSS, 1000 - LEAST_MSS]
