"""From what a configuration says of clients to whom a listener serves and how much; counts outlive reloads."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
import yaml

from fastpath.records import Limits, Pivot
from slowpath.control.assembly import Assembler, Parts
from slowpath.control.config import load
from slowpath.control.discovery.targets import Target
from slowpath.http.head import HeadReader
from slowpath.limiting.limits import Exceeded, ListenerLimits
from slowpath.limiting.rate import RateLimit
from slowpath.splicing.protocols import Http
from slowpath.wire.endpoint import Endpoint

_LIMITS = Limits(1000, timestamps=True, pivot=Pivot.EXACT, ipv6=True, snat=True, answers_syns=True)
_SERVER = Endpoint.parse("10.2.0.2:80")
ALICE, NEIGHBOUR, BOB = (bytes((192, 0, 2, 1)), bytes((192, 0, 2, 9)), bytes((198, 51, 100, 1)))
NOW = 1000.0


class Assembly:
    """Listeners of configurations that come in force one after the other."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "l7lb.yaml"
        self._assembler = Assembler(_LIMITS, Random(1))
        self._in_force: Parts | None = None

    def parts(self, listener: dict[str, object], **sections: object) -> Parts:
        """What a configuration with these keys of its listener makes, and these sections."""
        document = {
            "fastpath": {"interfaces": ["eth0"]},
            "listeners": {"web": {"address": "10.1.0.100:80", "default": "web"} | listener},
            "pools": {"web": {"servers": [str(_SERVER)]}},
        } | sections
        self._file.write_text(yaml.safe_dump(document))
        config = load(self._file)
        [server] = config.pools["web"].servers
        self._in_force = self._assembler.assemble(config, {"web": [Target(_SERVER, server)]})
        return self._in_force

    def limits(self, **limits: object) -> ListenerLimits:
        """Those of a listener."""
        [service] = self.parts({"limits": limits}).services
        assert service.limits is not None
        return service.limits


@pytest.fixture
def assembly(tmp_path: Path) -> Assembly:
    return Assembly(tmp_path)


def passing(limit: RateLimit | None, client: bytes, attempts: int = 1000) -> int:
    """How many of many requests at once pass."""
    assert limit is not None
    return sum(not limit.take(client, NOW) for _ in range(attempts))


def test_nothing_is_asked_where_nothing_is_configured(assembly: Assembly) -> None:
    [service] = assembly.parts({}).services
    assert (service.access, service.limits) == (None, None)


def test_an_access_list_reaches_the_slow_path_and_the_fast_path(assembly: Assembly) -> None:
    parts = assembly.parts({"allow": ["192.0.2.0/24", "2001:db8::/32"], "deny": ["192.0.2.9"]})
    [service], [listener] = parts.services, parts.listeners
    assert service.access is not None
    assert listener.access == service.access
    assert [service.access.permits(client) for client in (ALICE, NEIGHBOUR, BOB)] == [True, False, False]


def test_a_rate_names_its_burst_unless_it_is_given(assembly: Assembly) -> None:
    limits = assembly.limits(request_rate="600/m", connection_rate={"rate": "600/m", "burst": 7})
    assert passing(limits.request_rate, ALICE) == 600
    assert passing(limits.connection_rate, ALICE) == 7
    assert limits.connection_rate is not None
    assert limits.connection_rate.take(ALICE, NOW) == pytest.approx(0.1)


def test_a_rate_for_all(assembly: Assembly) -> None:
    limit = assembly.limits(request_rate={"rate": "2/s", "per": "all"}).request_rate
    assert (passing(limit, ALICE), passing(limit, BOB)) == (2, 0)


def test_neighbours_may_be_one_client(assembly: Assembly) -> None:
    limits = assembly.limits(request_rate="2/s", connections_per_client=1, client_prefix={"ipv4": 24})
    assert (passing(limits.request_rate, ALICE), passing(limits.request_rate, NEIGHBOUR)) == (2, 0)
    assert limits.admit(ALICE, NOW)
    with pytest.raises(Exceeded):
        limits.admit(NEIGHBOUR, NOW)
    assert limits.admit(BOB, NOW)


def test_a_reload_forgets_nothing_that_it_leaves_alone(assembly: Assembly) -> None:
    keys: dict[str, object] = {"request_rate": "5/s", "connections_per_client": 2}
    before = assembly.limits(**keys)
    slots = [before.admit(ALICE, NOW) for _ in range(2)]
    assert passing(before.request_rate, ALICE) == 5
    after = assembly.limits(**keys, connection_rate="9/s")
    assert after.request_rate is before.request_rate
    with pytest.raises(Exceeded):
        after.admit(ALICE, NOW)
    assert slots[0] is not None
    slots[0].release()
    assert after.admit(ALICE, NOW) is slots[0]


def test_a_reload_that_changes_a_limit_counts_open_connections_all_the_same(assembly: Assembly) -> None:
    before = assembly.limits(connections_per_client=5)
    for _ in range(3):
        before.admit(ALICE, NOW)
    with pytest.raises(Exceeded):
        assembly.limits(connections_per_client=3).admit(ALICE, NOW)


def test_a_reload_that_changes_a_rate_starts_afresh(assembly: Assembly) -> None:
    assert passing(assembly.limits(request_rate="5/s").request_rate, ALICE) == 5
    assert passing(assembly.limits(request_rate="6/s").request_rate, ALICE) == 6


def test_routes_have_rates_of_their_own(assembly: Assembly) -> None:
    routes = [{"path": f"/{name}", "request_rate": "3/s", "pool": "web"} for name in "ab"]
    [service] = assembly.parts({"routes": routes}).services
    limits = []
    for name in "ab":
        request = HeadReader().feed(f"GET /{name} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert request is not None
        route = service.router.choose(request)
        assert route is not None
        limits.append(route.rule.request_rate)
    assert [passing(limit, ALICE) for limit in limits] == [3, 3]


def test_limits_of_heads_reach_their_reader(assembly: Assembly) -> None:
    [service] = assembly.parts({}, limits={"head_bytes": 2048, "header_count": 11, "target_bytes": 300}).services
    assert isinstance(service.protocol, Http)
    assert (service.protocol.head_limit, service.protocol.header_count, service.protocol.target_limit) == (
        2048,
        11,
        300,
    )


@pytest.mark.parametrize("keys", [{"limits": {"request_rate": "1/s"}}, {"limits": {"connection_rate": "1/s"}}, {}])
def test_http2_is_taken_where_no_request_has_to_be_counted(assembly: Assembly, keys: dict[str, object]) -> None:
    [service] = assembly.parts(keys).services
    assert isinstance(service.protocol, Http)
    assert service.protocol.http2 is ("request_rate" not in str(keys))
