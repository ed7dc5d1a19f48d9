"""From what a configuration says of a pool to how its connections are spread."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
import yaml

from fastpath.records import Limits, Pivot
from slowpath.balancing.member import UNLIMITED, Member
from slowpath.control.assembly import Assembler, Parts
from slowpath.control.config import Config, load
from slowpath.control.discovery.targets import Target
from slowpath.request import Nothing
from slowpath.splicing.service import Pool
from slowpath.wire.endpoint import Endpoint

CLIENT = Endpoint.parse("192.0.2.1:40000")
_LIMITS = Limits(1000, timestamps=True, pivot=Pivot.EXACT, ipv6=True, snat=True, answers_syns=True)


class Assembly:
    """Pools of configurations that come in force one after the other."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "l7lb.yaml"
        self._assembler = Assembler(_LIMITS, Random(1))

    def pool(self, *servers: dict[str, object], **keys: object) -> Pool:
        """The pool of these servers and keys, in force."""
        return self.parts(*servers, **keys).pools["web"]

    def parts(self, *servers: dict[str, object], **keys: object) -> Parts:
        """The same with the listener that leads there."""
        self._file.write_text(
            yaml.safe_dump(
                {
                    "fastpath": {"interfaces": ["eth0"]},
                    "listeners": {"web": {"address": "10.1.0.100:80", "default": "web"}},
                    "pools": {"web": {"servers": list(servers)} | keys},
                }
            )
        )
        config = load(self._file)
        parts = self._assembler.assemble(config, {"web": targets(config)})
        self._assembler.enforce(parts)
        return parts


def targets(config: Config) -> list[Target]:
    return [
        Target(server.address, server) for server in config.pools["web"].servers if isinstance(server.address, Endpoint)
    ]


def server(host: int, **keys: object) -> dict[str, object]:
    return {"address": f"10.2.0.{host}:80"} | keys


@pytest.fixture
def assembly(tmp_path: Path) -> Assembly:
    return Assembly(tmp_path)


def all_up(pool: Pool) -> list[Member]:
    for member in pool.members:
        member.up = True
    return pool.members


def test_what_is_said_of_servers(assembly: Assembly) -> None:
    members = all_up(
        assembly.pool(
            server(2, name="a", max_connections=5), server(3, name="b", priority=7), server(4, name="c", backup=True)
        )
    )
    assert [(member.name, member.max_connections) for member in members] == [
        ("a", 5),
        ("b", UNLIMITED),
        ("c", UNLIMITED),
    ]
    assert members[0].rank < members[1].rank < members[2].rank


def test_a_reload_changes_servers_that_stay(assembly: Assembly) -> None:
    [before] = all_up(assembly.pool(server(2, name="a", max_connections=5, priority=1)))
    before.connections = 3
    [after] = assembly.pool(server(2, name="z", backup=True)).members
    assert after is before
    assert (after.name, after.max_connections, after.connections) == ("z", UNLIMITED, 3)
    assert after.rank > 1


def test_the_pools_own_keys(assembly: Assembly) -> None:
    pool = assembly.pool(server(2), queue={"size": 7, "timeout": "3s"}, slow_start="20s")
    assert (pool.queue.size, pool.queue.timeout, pool.slow_start) == (7, 3.0, 20.0)
    assert assembly.pool(server(2)) is pool
    assert (pool.queue.size, pool.queue.timeout, pool.slow_start) == (100, 10.0, 0.0)


def test_priorities_are_in_force(assembly: Assembly) -> None:
    pool = assembly.pool(server(2, backup=True), server(3))
    backup, first = all_up(pool)
    assert pool.choose(CLIENT, Nothing(), (), 0.0) is first
    first.up = False
    assert pool.choose(CLIENT, Nothing(), (), 0.0) is backup


def test_only_newcomers_start_slowly(assembly: Assembly) -> None:
    pool = assembly.pool(server(2), server(3), slow_start="10s")
    all_up(pool)
    pool.choose(CLIENT, Nothing(), (), 0.0)
    assert [member.ramp for member in pool.members] == [1.0, 1.0]
    pool = assembly.pool(server(2), server(3), server(4), slow_start="10s")
    all_up(pool)
    pool.choose(CLIENT, Nothing(), (), 100.0)
    assert [member.ramp for member in pool.members] == [1.0, 1.0, 0.1]
    pool.choose(CLIENT, Nothing(), (), 105.0)
    assert [member.ramp for member in pool.members] == [1.0, 1.0, pytest.approx(0.55)]
    assert [member.ramp for member in assembly.pool(server(2), server(3), server(4)).members] == [1.0] * 3


@pytest.mark.parametrize(
    ("keys", "pivot"),
    [
        ({}, Pivot.NONE),
        ({"balance": "source_hash"}, Pivot.NONE),
        ({"balance": {"hash": "path"}}, Pivot.EXACT),
        ({"sticky": {"cookie": "route"}}, Pivot.EXACT),
    ],
    ids=["turns", "clients", "paths", "sessions"],
)
def test_every_request_is_read_where_each_names_its_server(
    assembly: Assembly, keys: dict[str, object], pivot: Pivot
) -> None:
    [service] = assembly.parts(server(2, name="a"), **keys).services
    assert service.pivot is pivot
