"""TLS through the slow path, on good and bad networks."""

from __future__ import annotations

from random import Random

import pytest

from fastpath.profile import HOST, SWITCH, Profile
from slowpath.routing.matchers import Exact, Regex, Wildcard
from slowpath.routing.router import Rule
from slowpath.splicing.protocols import Tls
from slowpath.splicing.service import Timeouts
from slowpath.tls.alerts import Alert, fatal
from tests.simulation.network import Impairment
from tests.simulation.world import SERVERS
from tests.unit.splicing.protocols import LIMIT, NAMED, ROUGH, answer, told, world
from tests.unit.tls.hellos import hello, records


@pytest.mark.parametrize("profile", [HOST, SWITCH], ids=["host", "switch"])
def test_tls_passes_whole(profile: Profile, seed: int) -> None:
    data = NAMED + Random(1).randbytes(20_000)
    reply = Random(2).randbytes(30_000)
    for round_ in range(10):
        made = world(Tls(LIMIT), seed=seed + round_, impairment=ROUGH, profile=profile)
        made.serve = answer(len(data), reply)
        client = made.client()
        client.write(data)
        made.clock.run(600.0, lambda client=client: len(client.received) >= len(reply))  # type: ignore[misc]
        client.shutdown()
        made.clock.run(60.0)
        [server] = made.server_side.values()
        assert (bytes(server.received), bytes(client.received)) == (data, reply), f"seed {seed + round_}"
        assert (made.records, len(made.splicer.connections())) == (0, 0), f"seed {seed + round_}"


def test_a_hello_in_many_records_and_segments_arrives_as_it_was_sent(seed: int) -> None:
    data = records(NAMED[5:], fragment=3)
    for impairment in (Impairment(), ROUGH):
        made = world(Tls(LIMIT), Rule({"web": 1}, host=Exact("www.example.com")), default=False, seed=seed)
        made.serve = answer(len(data), b"server hello")
        client = made.client()
        for byte in data:
            client.write(bytes([byte]))
            made.clock.run(0.002)
        made.clock.run(60.0, lambda client=client: bool(client.received))  # type: ignore[misc]
        [server] = made.server_side.values()
        assert (bytes(server.received), bytes(client.received)) == (data, b"server hello"), impairment


@pytest.mark.parametrize(
    ("rule", "sent", "alert"),
    [
        (Rule({"web": 1}, host=Exact("www.example.com")), NAMED, None),
        (Rule({"web": 1}, host=Wildcard("example.com")), NAMED, None),
        (Rule({"web": 1}, host=Regex("^www[.]")), NAMED, None),
        (Rule({"web": 1}, alpn=frozenset({"http/1.1"})), NAMED, None),
        (Rule({"web": 1}), hello(), None),
        (Rule({"web": 1}, alpn=frozenset({"imap"})), NAMED, Alert.UNRECOGNIZED_NAME),
        (Rule({"web": 1}, host=Exact("other.example.com")), NAMED, Alert.UNRECOGNIZED_NAME),
        (Rule({"web": 1}, host=Regex(".*")), hello(), Alert.MISSING_EXTENSION),
        (Rule({"web": 1}), b"GET / HTTP/1.1\r\n\r\n", Alert.UNEXPECTED_MESSAGE),
    ],
    ids=["name", "wildcard", "regex", "alpn", "no name", "other alpn", "other name", "name needed", "no tls"],
)
def test_tls_is_routed_by_name_and_protocol(rule: Rule, sent: bytes, alert: Alert | None) -> None:
    made = world(Tls(LIMIT), rule, default=False)
    made.serve = answer(len(sent), b"server hello")
    if alert is not None:
        assert told(made, sent) == fatal(alert)
        assert not made.server_side
        return
    client = made.client()
    client.write(sent)
    made.clock.run(1.0)
    assert client.received == b"server hello"


@pytest.mark.parametrize(("sent", "alert"), [(NAMED[:30], Alert.HANDSHAKE_FAILURE), (NAMED, Alert.INTERNAL_ERROR)])
def test_late_hellos_and_missing_servers_are_alerts(sent: bytes, alert: Alert) -> None:
    made = world(Tls(LIMIT), timeouts=Timeouts(head=2.0))
    made.refusing = set(SERVERS)
    assert told(made, sent) == fatal(alert)
