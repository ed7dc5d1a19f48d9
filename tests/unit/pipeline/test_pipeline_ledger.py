"""No packet is ever rewritten with another connection's record, whatever collides and whatever is configured."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fastpath.errors import Rejected, TableFull
from fastpath.pipeline import surroundings
from fastpath.pipeline.digest import digest
from fastpath.pipeline.groups import Groups, group
from fastpath.pipeline.ledger import Batch, Ledger, Sizes
from fastpath.pipeline.paths import Paths
from fastpath.pipeline.rows import GROUPS, SURROUNDINGS, Action, Key, Step, applied, difference, in_tables
from fastpath.pipeline.settings import Settings
from fastpath.pipeline.surroundings import Hops
from fastpath.records import Flow, Listener, Server, Splice, Tuple4
from slowpath.wire.endpoint import Endpoint
from tests.unit.pipeline.plane import Plane, expected

BITS = 3
VIPS = [Endpoint(bytes((10, 1, 0, 100 + index)), 80) for index in range(3)]
SERVERS = [Server(index, Endpoint(bytes((10, 2, 0, 2 + index % 3)), 8080)) for index in range(4)]
CLIENTS = [Endpoint(bytes((10, 1, 0, 2)), 40000 + index) for index in range(12)]
SNAT = [Endpoint(bytes((10, 2, 0, 77)), 61000 + index) for index in range(3)]

busy = st.sampled_from([VIPS[0], VIPS[0], *VIPS])
"""Only connections of one VIP can be taken for each other."""
splices = st.builds(
    lambda client, vip, server, delta, pivot, snat: Splice(
        Flow(client, vip), server.endpoint, server.id, snat or client, delta, 0, pivot
    ),
    st.sampled_from(CLIENTS),
    busy,
    st.sampled_from(SERVERS),
    st.integers(1, 9),
    st.sampled_from([None, 5]),
    st.sampled_from([None, None, None, *SNAT]),
)
listeners = st.lists(
    st.builds(
        lambda vip, servers: Listener(vip, servers=frozenset(servers)),
        st.sampled_from(VIPS),
        st.sets(st.sampled_from([server.id for server in SERVERS])),
    ),
    unique_by=lambda listener: listener.endpoint,
)


class Switch(RuleBasedStateMachine):
    """A ledger whose every change is carried out entry by entry, as it reaches a switch."""

    def __init__(self) -> None:
        super().__init__()
        self.paths = Paths(64)
        self.ledger = Ledger(Sizes(connections=6, overrides=16, digest_bits=BITS), self.paths)
        self.rows: dict[Key, Action] = {}
        self.groups = Groups()
        self.live: dict[Flow, Splice] = {}
        self.claimed: set[Flow] = set()
        self.now = 0.0

    @initialize()
    def begin(self) -> None:
        self.separate()

    @rule()
    def separate(self) -> None:
        """No two VIPs have a server in common."""
        self.configure([Listener(vip, servers=frozenset({index})) for index, vip in enumerate(VIPS)])

    @rule()
    def join(self) -> None:
        """All of them have all."""
        self.configure([Listener(vip) for vip in VIPS])

    @rule(configured=listeners)
    def configure(self, configured: list[Listener]) -> None:
        """As Programming does it."""
        links = Settings(tuple(configured), tuple(SERVERS)).links(self.ledger.compressed)
        groups = group(links, self.groups)
        try:
            batch = self.ledger.regroup(groups)
        except TableFull:
            return
        around = {key: action for key, action in self.rows.items() if key[0] in SURROUNDINGS}
        around |= dict(surroundings.of_groups(groups))
        old = {key: action for key, action in self.rows.items() if key[0] in (*SURROUNDINGS, *GROUPS)}
        moves = difference(*batch.rows())
        self.carry_out([step for step in moves if step.action is not None])
        self.carry_out([*in_tables(difference(old, around), GROUPS)])
        self.carry_out([step for step in moves if step.action is None])
        self.ledger.commit(batch)
        self.ledger.set_groups(groups)
        self.groups = groups
        self.claimed = {flow for flow in self.claimed if flow.vip in groups.vips}

    @rule(batch=st.lists(splices, min_size=1, max_size=4), refused=st.sets(st.sampled_from(CLIENTS), max_size=2))
    def install(self, batch: list[Splice], refused: set[Endpoint]) -> None:
        batch = [self.at_home(splice) for splice in batch]
        no_room = {splice.flow for splice in batch if splice.flow.client in refused}
        before = {flow: splice for flow, splice in self.live.items() if flow not in {each.flow for each in batch}}
        try:
            plan = self.ledger.install(batch, no_room, self.now)
        except (Rejected, TableFull):
            return
        self.live = before
        self.change(plan)
        self.live |= {splice.flow: splice for splice in batch}
        self.claimed -= self.live.keys()

    @precondition(lambda self: self.live)
    @rule(data=st.data(), pivot=st.sampled_from([None, 7]))
    def update(self, data: st.DataObject, pivot: int | None) -> None:
        flow = data.draw(st.sampled_from([*self.live]))
        splice = replace(self.live.pop(flow), pivot=pivot)
        self.change(self.ledger.update([splice], (), self.now))
        self.live[flow] = splice

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        flows = data.draw(st.lists(st.sampled_from([*self.live]), min_size=1, max_size=3, unique=True))
        for flow in flows:
            del self.live[flow]
        self.change(self.ledger.remove([*flows, *flows]))

    @rule(flows=st.lists(st.builds(Flow, st.sampled_from(CLIENTS), busy), min_size=1, max_size=4))
    def punt(self, flows: list[Flow]) -> None:
        """New connections begin."""
        for flow in flows:
            self.begin_connection(flow)

    def begin_connection(self, flow: Flow) -> None:
        self.now += 0.1
        if not self.ledger.is_clear(flow, self.now):
            try:
                self.change(self.ledger.clear_way(flow))
            except TableFull:
                # Its packets are withheld.
                self.claimed.discard(flow)
                return
        if flow not in self.live and flow.vip in self.groups.vips:
            self.claimed.add(flow)

    def at_home(self, splice: Splice) -> Splice:
        """The same splice, most often to a server of its VIP's group."""
        group = self.groups.vip(splice.flow.vip)
        near = [server for server in SERVERS if self.groups.server(server.endpoint) == group]
        if not near or splice.delta == 1:
            return splice
        server = near[splice.delta % len(near)]
        return replace(splice, server=server.endpoint, server_id=server.id)

    def change(self, batch: Batch) -> None:
        """Write the paths first."""
        paths = {record.through: record.path for record in batch.new}
        rows = {key: action for key, action in surroundings.of_paths(paths.items(), Hops()) if key not in self.rows}
        self.carry_out([*difference({}, rows), *difference(*batch.rows())])
        self.ledger.commit(batch)

    def carry_out(self, steps: list[Step]) -> None:
        for step in steps:
            assert (step.key in self.rows) == (step.change.value != "insert"), step
            applied(self.rows, [step])
            self.live_connections_are_right()

    def live_connections_are_right(self) -> None:
        plane = Plane(self.rows, BITS)
        for splice in self.live.values():
            for packet, rewrite in expected(splice).items():
                assert plane.process(packet) == rewrite

    @invariant()
    def every_packet_is_right(self) -> None:
        self.live_connections_are_right()
        plane = Plane(self.rows, BITS)
        known = {packet for splice in self.live.values() for packet in expected(splice)}
        for flow in self.claimed:
            servers = [
                each.endpoint for each in SERVERS if self.groups.server(each.endpoint) == self.groups.vip(flow.vip)
            ]
            for packet in (Tuple4(*flow), *(Tuple4(server, flow.client) for server in servers)):
                assert packet in known or plane.process(packet) is None, packet
        # What nobody knows of may at most be taken for a connection, never for one with another source.
        for client in CLIENTS:
            for vip in VIPS:
                found = plane.process(Tuple4(client, vip))
                assert found is None or Tuple4(client, vip) in known or found.leaves.source == client
        assert {record.splice.flow: record.splice for record in self.ledger} == self.live
        rows = {key: action for key, action in self.rows.items() if key[0] in ("connections", "overrides")}
        assert rows == self.ledger.rows()
        assert len(rows) <= 6 + 16


TestSwitch = Switch.TestCase
TestSwitch.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


def test_a_splice_that_only_moves_its_pivot_stays_where_it_is() -> None:
    """Full tables have room for what is in them, and a connection that is held back takes no place away."""
    ledger = Ledger(Sizes(connections=1, overrides=2, digest_bits=BITS), Paths(64))
    groups = group(Settings((Listener(VIPS[0]),), tuple(SERVERS)).links(ledger.compressed), Groups())
    ledger.set_groups(groups)
    digests = {client: digest(client, groups.vip(VIPS[0]), BITS) for client in CLIENTS}
    compressed, rival, overridden = next(
        (first, second, third)
        for first, second, third in permutations(CLIENTS, 3)
        if digests[first] == digests[second] != digests[third]
    )
    splices = [
        Splice(Flow(client, VIPS[0]), SERVERS[0].endpoint, 0, client, 5, pivot=5) for client in (compressed, overridden)
    ]
    ledger.commit(ledger.install(splices, [splices[1].flow], 0.0))
    before = ledger.rows()
    assert not ledger.is_clear(Flow(rival, VIPS[0]), 0.0)
    with pytest.raises(TableFull):
        ledger.clear_way(Flow(rival, VIPS[0]))
    ledger.commit(ledger.update([replace(splice, pivot=None) for splice in splices], (), 1.0))
    assert ledger.rows().keys() == before.keys()
    assert ledger.rows() != before
