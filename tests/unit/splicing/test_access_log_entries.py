"""What the engine tells the access log of connections, by the way in which they end."""

from __future__ import annotations

import pytest

from fastpath.profile import SWITCH
from slowpath.accesslog.entry import Ended, Entry
from slowpath.splicing.rest import REST_AFTER
from slowpath.splicing.service import QueuePolicy, Timeouts
from tests.simulation.network import Impairment
from tests.simulation.peer import Peer
from tests.simulation.requests import Routed, converse, get, post, response
from tests.simulation.world import SERVERS, VIP, World

ROUGH = Impairment(loss=0.03, duplication=0.05, reordering=0.1)


class Lines:
    """A journal that keeps what it gets."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.asked: list[float] = []

    def takes(self, share: float) -> bool:
        self.asked.append(share)
        return share > 0.5

    def write(self, entry: Entry) -> None:
        self.entries.append(entry)

    @property
    def only(self) -> Entry:
        assert len(self.entries) == 1, self.entries
        return self.entries[0]


@pytest.fixture
def lines() -> Lines:
    return Lines()


def answer(peer: Peer) -> None:
    """Be a server that answers once, and closes after its client has."""
    answered: list[bool] = []

    def on_data() -> None:
        if not answered:
            answered.append(True)
            peer.write(b"x" * 5000)
        if peer.got_fin:
            peer.shutdown()

    peer.on_data = on_data


def one_request(lines: Lines, **world_options: object) -> tuple[World, Peer]:
    """A connection that has had its one request answered."""
    world = World(journal=lines, **world_options)  # type: ignore[arg-type]
    world.serve = answer
    client = world.client()
    client.write(REQUEST)
    world.clock.run(5.0, lambda: len(client.received) >= 5000)
    return world, client


REQUEST = b"GET /a?b HTTP/1.1\r\nHost: Example.com\r\nReferer: r\r\nUser-Agent: u\r\nX-Request-ID: 7\r\n\r\n"


def test_a_connection_of_one_request(lines: Lines) -> None:
    world, client = one_request(lines)
    assert lines.entries == []
    client.shutdown()
    world.clock.run(1.0)
    entry = lines.only
    assert (entry.client, entry.vip, entry.listener, entry.protocol) == (client.local, VIP, "web", "http")
    assert (entry.method, entry.target, entry.host, entry.version) == ("GET", "/a?b", "example.com", "1.1")
    assert (entry.referer, entry.user_agent, entry.request_id) == ("r", "u", "7")
    assert (entry.pool, entry.server, entry.status) == ("web", SERVERS[0], None)
    assert (entry.bytes_in, entry.bytes_out, entry.ended) == (len(REQUEST), 5000, Ended.CLOSED)
    assert entry.packets_in is not None and entry.packets_in >= 2
    assert entry.packets_out is not None and entry.packets_out >= 5
    assert entry.connect is not None and 0 < entry.connect < 0.1
    assert entry.duration is not None and entry.connect < entry.duration < 1.0


def test_a_request_in_pieces_is_counted_whole(lines: Lines) -> None:
    """What the balancer has acknowledged, and so delivers by itself, counts like the rest."""
    world = World(journal=lines)
    world.serve = lambda peer: setattr(peer, "on_data", lambda: None)
    client = world.client()
    client.write(REQUEST[:30])
    world.clock.run(0.5)
    client.write(REQUEST[30:] + b"0123456789")
    world.clock.run(0.5)
    client.abort()
    world.clock.run(0.5)
    assert (lines.only.bytes_in, lines.only.bytes_out) == (len(REQUEST) + 10, 0)
    assert lines.only.ended is Ended.CLIENT_RESET


def test_where_the_fast_path_has_no_room(lines: Lines) -> None:
    world, client = one_request(lines, capacity=0)
    client.shutdown()
    world.clock.run(1.0)
    assert (lines.only.bytes_in, lines.only.bytes_out, lines.only.ended) == (len(REQUEST), 5000, Ended.CLOSED)
    assert lines.only.packets_out is not None and lines.only.packets_out >= 5


def test_a_switch_counts_nothing(lines: Lines) -> None:
    world, client = one_request(lines, profile=SWITCH)
    client.shutdown()
    world.clock.run(1.0)
    assert (lines.only.bytes_in, lines.only.bytes_out, lines.only.packets_in) == (None, None, None)
    assert lines.only.duration is not None


@pytest.mark.parametrize("by_server", [True, False])
def test_resets(lines: Lines, by_server: bool) -> None:
    world, client = one_request(lines)
    (next(iter(world.server_side.values())) if by_server else client).abort()
    world.clock.run(1.0)
    assert lines.only.ended is (Ended.SERVER_RESET if by_server else Ended.CLIENT_RESET)
    assert lines.only.bytes_out == 5000


def test_silence(lines: Lines) -> None:
    world, _ = one_request(lines)
    world.fastpath.sweep(world.clock.now + 700.0)
    world._work()
    assert (lines.only.ended, lines.only.bytes_out) == (Ended.IDLE, 5000)


def test_silence_in_the_slow_path(lines: Lines) -> None:
    world, _ = one_request(lines, capacity=0, timeouts=Timeouts(idle=5.0))
    world.clock.run(20.0)
    assert (lines.only.ended, lines.only.bytes_out) == (Ended.IDLE, 5000)


def test_the_balancer_stops_before_there_is_a_server(lines: Lines) -> None:
    world = World(journal=lines)
    world.dead.update(SERVERS)
    world.client(40000)
    world.client(40001).write(REQUEST[:20])
    world.client(40002).write(REQUEST)
    world.clock.run(0.5)
    world.splicer.log_open(world.clock.now)
    assert (lines.only.ended, lines.only.server, lines.only.target) == (Ended.STOPPED, SERVERS[0], "/a?b")


def test_the_balancer_stops(lines: Lines) -> None:
    world, _ = one_request(lines)
    world.splicer.log_open(world.clock.now)
    world._apply()
    assert (lines.only.ended, lines.only.bytes_out) == (Ended.STOPPED, 5000)


def test_the_balancer_stops_while_connections_are_at_rest(lines: Lines) -> None:
    world, client = one_request(lines)
    world.clock.run(2 * REST_AFTER)
    assert world.splicer.resting_count == 1
    world.splicer.log_open(world.clock.now)
    world._apply()
    assert (lines.only.ended, lines.only.bytes_out) == (Ended.STOPPED, 5000)
    client.abort()
    world.clock.run(10.0)
    assert lines.only.ended is Ended.STOPPED
    assert world.splicer.connection_count == 0


def test_a_connection_that_was_at_rest_has_its_line(lines: Lines) -> None:
    world, client = one_request(lines)
    world.clock.run(2 * REST_AFTER)
    assert world.splicer.resting_count == 1
    client.shutdown()
    world.clock.run(10.0)
    assert (lines.only.ended, lines.only.bytes_out) == (Ended.CLOSED, 5000)


@pytest.mark.parametrize(
    ("request_bytes", "status", "method"),
    [(b"GET / HTTP/1.1\r\n\r\n", 400, ""), (get("/"), 503, "GET"), (b"GET / HT", 408, "")],
)
def test_own_answers(lines: Lines, request_bytes: bytes, status: int, method: str) -> None:
    world = World(journal=lines)
    world.refusing.update(SERVERS)
    for member in world.members:
        member.up = False
    client = world.client()
    client.write(request_bytes)
    world.clock.run(30.0, lambda: client.got_fin)
    assert (lines.only.status, lines.only.method, lines.only.ended) == (status, method, Ended.ANSWERED)
    assert (lines.only.bytes_in, lines.only.bytes_out) == (len(request_bytes), len(client.received))


def test_a_client_that_gives_up_while_it_waits(lines: Lines) -> None:
    world = World(journal=lines)
    world.dead.update(SERVERS)
    client = world.client()
    client.write(REQUEST)
    world.clock.run(0.5)
    client.abort()
    world.clock.run(0.5)
    assert (lines.only.ended, lines.only.server, lines.only.pool) == (Ended.CLIENT_RESET, SERVERS[0], "web")


def test_a_client_that_gives_up_in_the_queue(lines: Lines) -> None:
    world = World(journal=lines)
    world.service.pools["web"].queue = QueuePolicy(10, 5.0)
    for member in world.members:
        member.max_connections = 0
    client = world.client()
    client.write(REQUEST)
    world.clock.run(0.5)
    client.abort()
    world.clock.run(0.5)
    assert (lines.only.ended, lines.only.server, lines.only.pool) == (Ended.CLIENT_RESET, None, "web")


def test_silent_clients_are_not_worth_a_line(lines: Lines) -> None:
    world = World(journal=lines)
    client = world.client()
    world.clock.run(0.5)
    client.shutdown()
    world.clock.run(5.0)
    assert lines.entries == []


def test_listeners_that_are_not_logged(lines: Lines) -> None:
    world = World(journal=lines)
    world.service.access_log = 0.25
    client = world.client()
    client.write(b"GET / HTTP/1.1\r\n\r\n")
    world.clock.run(1.0)
    assert (lines.asked, lines.entries) == ([0.25], [])


def volumes(requests: list[bytes]) -> list[tuple[str, int, int]]:
    """What lines should say of requests to the routed pools, one of them at a time."""
    said = []
    for request in requests:
        path, body = request.split(b" ")[1].decode(), request.partition(b"\r\n\r\n")[2]
        said.append((path, len(request), len(response(path, 1 if path.startswith("/b") else 0, len(body)))))
    return said


REQUESTS = [get("/a/1"), post("/a/2", b"y" * 3000), get("/b/4000"), get("/b/2"), get("/a/70000")]


@pytest.mark.parametrize("capacity", [1000, 0])
def test_each_request_of_a_connection(lines: Lines, capacity: int) -> None:
    world = Routed(journal=lines, capacity=capacity)
    client = world.client()
    converse(world, client, REQUESTS)
    client.shutdown()
    world.settle()
    assert [(entry.target, entry.bytes_in, entry.bytes_out) for entry in lines.entries] == volumes(REQUESTS)
    assert [entry.server for entry in lines.entries] == [SERVERS[number] for number in (0, 0, 1, 1, 0)]
    assert [entry.connect is not None for entry in lines.entries] == [True, False, True, False, True]
    assert [entry.ended for entry in lines.entries] == [*[Ended.COMPLETE] * 4, Ended.CLOSED]
    assert [entry.packets_out is not None for entry in lines.entries] == [False] * 4 + [True]


def test_each_request_on_a_switch(lines: Lines) -> None:
    """Sequence numbers tell of all requests but the last."""
    world = Routed(journal=lines, profile=SWITCH)
    client = world.client()
    converse(world, client, REQUESTS)
    client.shutdown()
    world.settle()
    said = [(entry.target, entry.bytes_in, entry.bytes_out) for entry in lines.entries]
    assert said[:-1] == volumes(REQUESTS)[:-1]
    assert lines.entries[-1].bytes_out is None


def test_requests_that_come_together(lines: Lines) -> None:
    world = Routed(journal=lines)
    client = world.client()
    converse(world, client, REQUESTS[:2] + REQUESTS[:2], at_once=2)
    client.shutdown()
    world.settle()
    assert [entry.target for entry in lines.entries] == ["/a/1", "/a/2", "/a/1", "/a/2"]
    said = volumes(REQUESTS[:2])
    assert [entry.bytes_in for entry in lines.entries] == [said[0][1], said[1][1]] * 2
    assert sum(entry.bytes_out or 0 for entry in lines.entries) == 2 * sum(out for _, _, out in said)


def test_a_server_that_closes_between_two_requests(lines: Lines) -> None:
    world = Routed(journal=lines)
    world.idle_close = 1.0
    client = world.client()
    converse(world, client, [get("/a/1")])
    world.clock.run(2.0)
    assert (lines.only.ended, lines.only.bytes_out) == (Ended.COMPLETE, len(response("/a/1", 0)))
    assert lines.only.duration is not None and lines.only.duration < 0.9
    converse(world, client, [get("/a/2")])
    client.shutdown()
    world.settle()
    assert [entry.target for entry in lines.entries] == ["/a/1", "/a/2"]


def test_on_a_rough_network_each_request_has_a_line(lines: Lines, seed: int) -> None:
    world = Routed(seed, ROUGH, journal=lines)
    client = world.client()
    converse(world, client, REQUESTS * 3)
    client.shutdown()
    world.settle()
    want = volumes(REQUESTS * 3)
    assert [entry.target for entry in lines.entries] == [target for target, _, _ in want]
    for entry, (_, received, sent) in zip(lines.entries, want, strict=True):
        assert entry.bytes_in is not None and entry.bytes_in >= received
        assert entry.bytes_out is not None and entry.bytes_out >= sent


def test_the_same_request_again_and_again_has_a_line_each_time(lines: Lines) -> None:
    world = Routed(journal=lines)
    client = world.client()
    converse(world, client, [get("/a/1")] * 6)
    client.shutdown()
    world.settle()
    assert [entry.target for entry in lines.entries] == ["/a/1"] * 6
    assert not world.fastpath.counters().followed
