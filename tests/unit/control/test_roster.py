"""Servers through changes of the configuration: who is who, and whose word holds."""

from __future__ import annotations

from itertools import islice

import pytest

from slowpath.control.config import Config, PoolConfig, ServerConfig
from slowpath.control.discovery.targets import Target
from slowpath.control.roster import Entry, Roster
from slowpath.wire.endpoint import Endpoint
from tests.unit.control.configurations import configuration


def pool_of(*servers: object) -> PoolConfig:
    config: Config = configuration(pools={"web": {"servers": list(servers)}})
    return config.pools["web"]


def enforce(roster: Roster, *servers: object, pool: str = "web") -> list[Entry]:
    """Make these the servers of the only pool."""
    config = pool_of(*servers)
    enlisted = roster.enlist(pool, [target(server) for server in config.servers], config)
    roster.enforce(enlisted)
    return [each.entry for each in enlisted]


def target(server: ServerConfig) -> Target:
    assert isinstance(server.address, Endpoint)
    return Target(server.address, server)


@pytest.fixture
def roster() -> Roster:
    return Roster()


def test_a_server_that_stays_is_the_same_one(roster: Roster) -> None:
    [first, second] = enforce(roster, "10.2.0.1:80", "10.2.0.2:80")
    second.member.up, second.member.connections = True, 3
    [stays, comes] = enforce(roster, "10.2.0.2:80", "10.2.0.3:80")
    assert stays is second
    assert (stays.member.up, stays.member.connections) == (True, 3)
    assert len({first.member.id, second.member.id, comes.member.id}) == 3
    assert not comes.member.up


def test_the_same_address_in_two_pools_is_two_servers(roster: Roster) -> None:
    config = pool_of("10.2.0.1:80")
    enlisted = [each for pool in ("a", "b") for each in roster.enlist(pool, map(target, config.servers), config)]
    roster.enforce(enlisted)
    assert enlisted[0].member is not enlisted[1].member


def test_what_is_enlisted_and_not_enforced_changes_nothing(roster: Roster) -> None:
    [entry] = enforce(roster, "10.2.0.1:80")
    config = pool_of({"address": "10.2.0.1:80", "weight": 5}, "10.2.0.2:80")
    roster.enlist("web", map(target, config.servers), config)
    assert entry.member.weight == 1
    assert list(roster) == [entry]


def test_a_server_with_connections_leaves_when_they_have_ended(roster: Roster) -> None:
    [entry] = enforce(roster, "10.2.0.1:80")
    entry.member.connections = 1
    kept = enforce(roster, "10.2.0.2:80")
    assert (entry.listed, entry.member.draining) == (False, True)
    assert entry in list(roster)
    entry.member.connections = 0
    assert enforce(roster, "10.2.0.2:80") == kept
    assert list(roster) == kept


def test_a_server_that_comes_back_takes_connections_again(roster: Roster) -> None:
    [entry] = enforce(roster, "10.2.0.1:80")
    entry.member.connections = 1
    enforce(roster, "10.2.0.2:80")
    assert enforce(roster, "10.2.0.1:80") == [entry]
    assert (entry.listed, entry.member.draining) == (True, False)


def test_leaving_are_those_with_connections_who_are_not_asked_for(roster: Roster) -> None:
    first, second, _ = enforce(roster, "10.2.0.1:80", "10.2.0.2:80", "10.2.0.3:80")
    first.member.connections = second.member.connections = 1
    config = pool_of("10.2.0.2:80")
    assert roster.leaving(roster.enlist("web", map(target, config.servers), config)) == [first]


def test_a_drain_outlives_changes(roster: Roster) -> None:
    [entry] = enforce(roster, "10.2.0.1:80")
    entry.drained = True
    enforce(roster, {"address": "10.2.0.1:80", "weight": 2})
    assert entry.member.draining


def test_the_operators_weight_holds_until_the_configuration_has_another(roster: Roster) -> None:
    [entry] = enforce(roster, {"address": "10.2.0.1:80", "weight": 3})
    entry.weight = 7
    enforce(roster, {"address": "10.2.0.1:80", "weight": 3}, "10.2.0.2:80")
    assert entry.member.weight == 7
    enforce(roster, {"address": "10.2.0.1:80", "weight": 4})
    assert entry.member.weight == 4
    enforce(roster, {"address": "10.2.0.1:80", "weight": 3})
    assert entry.member.weight == 3


def test_ids_are_used_again_only_when_all_were(roster: Roster) -> None:
    [kept] = enforce(roster, "10.2.0.1:80")
    kept.member.connections = 1
    server = pool_of("10.2.0.2:80").servers[0]
    seen = {kept.member.id}
    for block in range(256):
        targets = [Target(Endpoint(bytes((10, 9, block, host)), 80), server) for host in range(256)]
        enlisted = roster.enlist("web", islice(targets, 255 if block == 255 else 256), pool_of("10.2.0.2:80"))
        roster.enforce(enlisted)
        ids = {each.member.id for each in enlisted}
        assert not ids & seen
        seen |= ids
    assert seen == set(range(65536))
    [again] = enforce(roster, "10.3.0.1:80")
    assert again.member.id != kept.member.id
