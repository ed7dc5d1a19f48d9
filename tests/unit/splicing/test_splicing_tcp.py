"""TCP through the slow path, unread: whoever speaks first, on good and bad networks."""

from __future__ import annotations

from random import Random

import pytest

from fastpath.profile import HOST, SWITCH, Profile
from slowpath.proxy_protocol import Version, header
from slowpath.splicing.phases import Phase
from slowpath.splicing.protocols import Http, Tcp, Tls
from tests.simulation.network import Impairment
from tests.simulation.world import SERVERS, VIP
from tests.unit.splicing.protocols import HTTP2, LIMIT, NAMED, ROUGH, ended, greet, world


@pytest.mark.parametrize("profile", [HOST, SWITCH], ids=["host", "switch"])
def test_a_server_may_speak_first(profile: Profile, seed: int) -> None:
    greeting, data = b"220 ready\r\n" * 300, Random(3).randbytes(20_000)
    for impairment in (Impairment(), Impairment(duplication=0.1, reordering=0.2)):
        for round_ in range(10):
            made = world(Tcp(LIMIT), seed=seed + round_, impairment=impairment, profile=profile)
            made.serve = greet(greeting)
            client = made.client()
            made.clock.run(60.0, lambda client=client: len(client.received) >= len(greeting))  # type: ignore[misc]
            assert client.received == greeting, f"seed {seed + round_}"
            client.write(data)
            client.shutdown()
            made.clock.run(60.0, ended(client))
            made.clock.run(60.0)
            assert client.received == greeting + data, f"seed {seed + round_}"
            assert (made.records, len(made.splicer.connections())) == (0, 0), f"seed {seed + round_}"


def test_a_client_may_speak_first_on_a_rough_network(seed: int) -> None:
    data = Random(4).randbytes(20_000)
    for round_ in range(20):
        made = world(Tcp(LIMIT), seed=seed + round_, impairment=ROUGH)
        made.serve = greet(b"hello")
        client = made.client()
        client.write(data)
        client.shutdown()
        made.clock.run(600.0, ended(client))
        made.clock.run(60.0)
        assert client.received == b"hello" + data, f"seed {seed + round_}"
        assert (made.records, len(made.splicer.connections())) == (0, 0), f"seed {seed + round_}"


def test_a_silent_connection_is_spliced() -> None:
    made = world(Tcp(LIMIT))
    client = made.client()
    made.clock.run(1.0)
    [server] = made.server_side.values()
    assert server.established and made.records == 1
    [connection] = made.splicer.connections()
    assert connection.phase is Phase.SPLICED
    assert made.splicer.statistics.requests == {("web", "web"): 1}
    made.clock.run(100.0)
    assert (client.was_reset, server.was_reset) == (False, False)


def test_a_client_that_only_listens_gets_everything() -> None:
    made = world(Tcp(LIMIT))
    made.serve = greet(Random(5).randbytes(50_000))
    client = made.client()
    client.shutdown()
    made.clock.run(60.0, ended(client))
    assert client.received == Random(5).randbytes(50_000)
    made.clock.run(10.0)
    assert client.finished and not made.splicer.connections()


def test_a_server_that_refuses_is_passed_over() -> None:
    made = world(Tcp(LIMIT))
    made.serve, made.refusing = greet(b"hello"), {SERVERS[0]}
    for port in range(41000, 41004):
        client = made.client(port)
        made.clock.run(0.1)
        assert client.received == b"hello"


@pytest.mark.parametrize("kind", ["refusing", "dead", "down"])
@pytest.mark.parametrize("data", [b"", b"hello"], ids=["silent", "speaking"])
def test_without_a_server_the_client_is_reset(kind: str, data: bytes) -> None:
    made = world(Tcp(LIMIT))
    if kind == "down":
        for member in made.members:
            member.up = False
    else:
        setattr(made, kind, set(SERVERS))
    client = made.client()
    client.write(data)
    made.clock.run(10.0, ended(client))
    assert client.was_reset and not client.received
    made.clock.run(10.0)
    assert not made.splicer.connections()
    assert all(member.connections == 0 for member in made.members)


def test_a_lost_ack_of_the_servers_handshake_is_repeated() -> None:
    made = world(Tcp(LIMIT))
    made.serve = greet(b"hello")
    client = made.client()
    made.clock.run(1.0, lambda: bool(made.server_side))
    made.dead = set(SERVERS)
    made.clock.run(0.1)
    [server] = made.server_side.values()
    assert not server.established and made.records == 1
    made.dead = set()
    made.clock.run(1.0)
    assert client.received == b"hello"


@pytest.mark.parametrize("version", Version)
def test_what_a_proxy_says_comes_before_anything_else(version: Version, seed: int) -> None:
    for protocol, data in ((Tcp(LIMIT), b""), (Tcp(LIMIT), b"x" * 3_000), (Tls(LIMIT), NAMED), (Http(LIMIT), HTTP2)):
        for impairment in (Impairment(), Impairment(duplication=0.1, reordering=0.2)):
            made = world(protocol, seed=seed, impairment=impairment)
            made.service.pools["web"].proxy_protocol = version
            made.serve = greet(b"hello")
            client = made.client()
            client.write(data)
            made.clock.run(60.0, lambda client=client: len(client.received) >= 5)  # type: ignore[misc]
            [((_, seen), server)] = made.server_side.items()
            client.shutdown()
            made.clock.run(60.0)
            preamble = header(version, seen, VIP)
            assert bytes(server.received) == preamble + data
            assert bytes(client.received) == b"hello" + preamble + data
            assert (made.records, len(made.splicer.connections())) == (0, 0)


def test_a_full_fast_path_leaves_tcp_to_the_slow_path(seed: int) -> None:
    made = world(Tcp(LIMIT), seed=seed, capacity=0)
    made.serve = greet(b"hello")
    client = made.client()
    client.write(b"x" * 5_000)
    client.shutdown()
    made.clock.run(60.0, ended(client))
    assert client.received == b"hello" + b"x" * 5_000
