"""New connections that the fast path is told to open by itself, and what the slow path makes of them later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from fastpath.interface import Admitted
from fastpath.records import ADMISSION_HEADS, MAX_TURNS, Admission, Counters, Followed, Tuple4
from slowpath import proxy_protocol
from slowpath.balancing.balancer import balancer
from slowpath.http.editing import HeadEdits
from slowpath.limiting.limits import ListenerLimits
from slowpath.routing.matchers import Prefix
from slowpath.routing.router import Router, Rule
from slowpath.splicing.recurrence import LIFETIME
from slowpath.splicing.sources import Transparent
from slowpath.splicing.splicer import Splicer
from slowpath.tcp import cookie
from slowpath.wire import sequence as seq
from tests.simulation.peer import Ability, Peer
from tests.simulation.requests import Routed, converse, get, post
from tests.simulation.world import COOKIES, SERVERS, SERVERS6, VIP

A, B = get("/a/1"), get("/b/1")


class Admitting(Routed):
    """A world whose fast path keeps the admissions that it is told, and can be made to hand connections over."""

    def __init__(self) -> None:
        super().__init__()
        self.service.admissions = True
        self.told: list[Admission] = []
        self.opened: dict[Tuple4, Admitted] = {}
        self.fastpath.set_admissions = self._note  # type: ignore[method-assign]
        self.fastpath.hand_over = lambda match: self.opened.pop(match, None)  # type: ignore[method-assign]
        self._port = 41000

    async def _note(self, admissions: Sequence[Admission]) -> None:
        self.told += admissions

    def visit(self, *requests: bytes, ability: Ability = Ability()) -> Peer:
        """A client that asks and goes."""
        self._port += 1
        client = self.client(self._port, ability)
        for request in requests:
            client.write(request)
            self.clock.run(0.1)
        client.shutdown()
        self.clock.run(0.1)
        return client


def test_the_second_of_a_kind_is_told() -> None:
    world = Admitting()
    world.visit(A)
    assert world.told == []
    world.visit(A)
    now = world.clock.now
    (told,) = world.told
    assert told == Admission(VIP, A, ((SERVERS[0], 0),) * MAX_TURNS, routed=True, label=0, until=told.until)
    assert now < told.until < now + LIFETIME
    world.visit(A)
    assert len(world.told) == 1


def test_it_is_told_again_once_it_is_nearly_over() -> None:
    world = Admitting()
    for _ in range(3):
        world.visit(A)
        world.clock.run(LIFETIME)
    assert len(world.told) == 2


def test_turns_are_given_away() -> None:
    world = Admitting()
    members = world.members
    members[1].weight = 3
    pool = world.service.pools["a"]
    pool.members, pool.balancer = members, balancer("round_robin", members, world.random)
    for _ in range(2):
        world.visit(get("/"))
    (told,) = world.told
    assert [told.servers.count((member.endpoint, member.id)) for member in members] == [4, 12]
    members[0].draining = True
    world.splicer.revoke_precedents()
    for _ in range(2):
        world.visit(get("/"))
    assert set(world.told[-1].servers) == {(members[1].endpoint, members[1].id)}


def test_where_the_first_request_decides_no_later_one_is_routed() -> None:
    world = Admitting()
    world.service.pivot = type(world.service.pivot).NONE
    for _ in range(2):
        world.visit(A)
    assert [told.routed for told in world.told] == [False]


def test_the_last_request_of_its_connection_is_told_as_such() -> None:
    world = Admitting()
    for _ in range(2):
        world.visit(get("/a/1", "Connection: close"))
    assert [told.routed for told in world.told] == [False]


def test_labels_are_those_of_precedents() -> None:
    world = Admitting()
    for _ in range(2):
        world.visit(A, A, A, B, B)
    assert world.splicer.tally(Counters(admitted={0: 7}, followed={0: 5})).connections == {"web": 9}


def _logged(world: Admitting) -> None:
    world.service.admissions = False


def _limited(world: Admitting) -> None:
    world.service.limits = ListenerLimits()


def _edited(world: Admitting) -> None:
    rules = [Rule({"b": 1}, path=Prefix("/b"), edits=HeadEdits(hostname="b.example"))]
    world.service.router = Router(rules, {"a": 1})


def _announced(world: Admitting) -> None:
    world.service.pools["a"].proxy_protocol = proxy_protocol.Version.V1


def _narrow(world: Admitting) -> None:
    world.members[0].max_connections = 100


def _by_load(world: Admitting) -> None:
    world.service.pools["a"].balancer = balancer("least_connections", world.members[:1], world.random)


def _unfollowed(world: Admitting) -> None:
    """Later requests would have to be seen."""
    world.service.precedents = False


def _by_weight(world: Admitting) -> None:
    world.service.pools = dict.fromkeys("ab", world.service.pools["a"])
    world.service.router = Router([], {"a": 1, "b": 1})


@pytest.mark.parametrize("why", [_logged, _limited, _edited, _announced, _narrow, _by_load, _unfollowed, _by_weight])
def test_where_each_connection_has_to_be_seen_none_is_told(why: Callable[[Admitting], None]) -> None:
    world = Admitting()
    why(world)
    for _ in range(3):
        client = world.client(42000 + _)
        client.write(A)
        world.clock.run(1.0)
        client.shutdown()
        world.clock.run(1.0)
    assert world.told == []


def test_servers_of_the_other_version_are_not_told() -> None:
    world = Admitting()
    world.members[0].endpoint = SERVERS6[0]
    world.splicer.replace([world.service])
    session = world.client(40000)
    session.write(A)
    world.clock.run(0.1)
    assert world.told == []


@pytest.mark.parametrize(
    "request_",
    [
        post("/a/1", b"body"),
        get("/a/1").replace(b"GET", b"HEAD"),
        get("/a/1", "X: " + "y" * ADMISSION_HEADS.stop),
        get("/a/1") + get("/a/1"),
        get("/a/1", "Connection: upgrade", "Upgrade: h2c"),
    ],
)
def test_only_a_whole_head_alone_is_told(request_: bytes) -> None:
    world = Admitting()
    for port in range(43000, 43003):
        client = world.client(port)
        client.write(request_)
        world.clock.run(1.0)
        client.shutdown()
        world.clock.run(1.0)
    assert world.told == []


def test_a_head_in_two_segments_is_not_told() -> None:
    world = Admitting()
    for port in range(43000, 43003):
        client = world.client(port)
        client.write(A[:20])
        world.clock.run(0.01)
        client.write(A[20:])
        world.clock.run(1.0)
        client.shutdown()
        world.clock.run(1.0)
    assert world.told == []


# Taking over


def opened(*requests: bytes, ability: Ability = Ability()) -> tuple[Admitting, Peer, Admitted]:
    """A world whose slow path knows nothing of a connection on which this was asked, as the fast path has opened it."""
    world = Admitting()
    client = world.client(40000, ability)
    converse(world, client, requests)
    (splice,) = world.fastpath.splices()
    (connection,) = world.splicer.connections()
    world.splicer = Splicer([world.service], Transparent(), COOKIES, activity=world.fastpath)
    for member in world.members:
        member.connections = 0
    for _ in range(2):
        world.visit(A)
    world.clock.run(5.0)
    isn = seq.add(connection.response_start, -1)  # type: ignore[union-attr]
    followed = Followed(splice.pivot or 0, connection.request_start, connection.response_start)  # type: ignore[union-attr]
    return world, client, Admitted(splice, 0, isn >> 21, followed)


def test_one_that_lasts_is_known() -> None:
    world, client, admitted = opened(A)
    world.splicer.admitted(admitted, world.clock.now)
    (connection,) = world.splicer.connections()
    assert (connection.flow, connection.pool.name, connection.member) == (admitted.splice.flow, "a", world.members[0])  # type: ignore[union-attr]
    assert (world.splicer.splice_count, world.members[0].connections) == (1, 1)
    converse(world, client, [A, B, A, A])
    client.shutdown()
    world.settle()


@pytest.mark.parametrize("ability", [Ability(), Ability(536, None, False, False)], ids=["all options", "none"])
def test_one_that_is_asked_for_goes_elsewhere(ability: Ability) -> None:
    """The next request is punted, and its connection handed over because of that."""
    world, client, admitted = opened(A, ability=ability)
    world.opened[Tuple4(*admitted.splice.flow)] = admitted
    converse(world, client, [B, A, B])
    assert world.opened == {}
    client.shutdown()
    world.settle()


def test_a_server_that_closes_is_not_missed() -> None:
    world, client, admitted = opened(A)
    world.opened[Tuple4(admitted.splice.server, admitted.splice.source)] = admitted
    world.clock.run(1.0)
    world.applications[0]._peer.shutdown()
    world.clock.run(1.0)
    assert not client.got_fin
    converse(world, client, [A])
    client.shutdown()
    world.settle()


def test_it_comes_to_rest_and_ends_as_any_other() -> None:
    world, client, admitted = opened(A)
    world.splicer.admitted(admitted, world.clock.now)
    world.wake()
    world.clock.run(5.0)
    assert world.splicer.resting_count == 1
    client.shutdown()
    world.settle()
    assert client.finished


def test_of_one_with_a_fin_nobody_knows_what_was_answered() -> None:
    world, _, admitted = opened(A)
    unknown = Followed(admitted.splice.pivot or 0, None, None)
    world.splicer.admitted(replace(admitted, followed=unknown), world.clock.now)
    (connection,) = world.splicer.connections()
    assert connection.asked == ("GET", "GET")  # type: ignore[union-attr]


def test_what_was_agreed_is_in_the_cookie() -> None:
    agreed = cookie.Agreed(1460, 7, sack=True, timestamps=True)
    world, _, admitted = opened(A)
    world.splicer.admitted(admitted, world.clock.now)
    (connection,) = world.splicer.connections()
    assert connection.terms.agreed == agreed  # type: ignore[union-attr]
    assert connection.terms.receive_scale == 7  # type: ignore[union-attr]
