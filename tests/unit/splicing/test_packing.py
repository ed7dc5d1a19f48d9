"""Junctions as bytes, and back."""

from __future__ import annotations

from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from fastpath.records import Flow, Splice
from slowpath.balancing.balancer import balancer
from slowpath.balancing.member import Member
from slowpath.limiting.clients import ClientPrefix
from slowpath.limiting.slots import Slots, Taken
from slowpath.splicing.accounting import Account
from slowpath.splicing.junction import Junction
from slowpath.splicing.packing import GLANCE, Packer
from slowpath.splicing.phases import Phase
from slowpath.splicing.service import Pool
from slowpath.splicing.terms import DEFAULT_TERMS, methods, terms
from slowpath.tcp.cookie import Agreed
from slowpath.wire.endpoint import Endpoint
from tests.simulation.world import World

U16, U32 = st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)
TIMES = st.floats(0, 1e9)
WORLD = World()
MEMBERS = [*WORLD.members, Member(65535, Endpoint(bytes(range(16)), 443))]
POOLS = [Pool(name, MEMBERS, balancer("round_robin", MEMBERS, WORLD.random)) for name in ("web", "mail")]
SLOT = Slots(10, ClientPrefix(), Taken()).take(bytes(4))
ACCOUNT = Account()


def endpoints(length: int) -> st.SearchStrategy[Endpoint]:
    return st.builds(Endpoint, st.binary(min_size=length, max_size=length), U16)


@st.composite
def junctions(draw: st.DrawFn) -> Junction:
    length = draw(st.sampled_from([4, 16]))
    member = draw(st.sampled_from(MEMBERS))
    client, vip = draw(endpoints(length)), draw(endpoints(length))
    own = endpoints(len(member.endpoint.address))
    source = draw(own if length != len(member.endpoint.address) else own | st.just(client))
    deltas = draw(U32), draw(U32)
    return Junction(
        splice=Splice(
            Flow(client, vip), member.endpoint, member.id, source, *deltas, draw(st.none() | U32), draw(st.booleans())
        ),
        service=WORLD.service,
        pool=draw(st.sampled_from(POOLS)),
        member=member,
        started=draw(TIMES),
        phase=Phase.SPLICED,
        connect_started=draw(TIMES),
        slot=draw(st.sampled_from([None, SLOT])),
        account=draw(st.sampled_from([None, ACCOUNT])),
        server_start=draw(st.none() | U32),
        terms=draw(st.sampled_from([DEFAULT_TERMS, terms(Agreed(1460, 7, sack=True, timestamps=True), 7)])),
        request_start=draw(U32),
        response_start=draw(U32),
        asked=draw(st.sampled_from([(), methods("GET"), ("GET", "POST")])),
    )


NOT_KEPT = {"touched", "scheduled"}
"""What says only when something is to be done about a junction that is awake."""


def content(junction: Junction) -> dict[str, object]:
    assert junction.is_idle
    return {each.name: getattr(junction, each.name) for each in fields(junction) if each.name not in NOT_KEPT}


@given(st.lists(junctions(), max_size=4))
def test_a_junction_comes_back_as_it_was(made: list[Junction]) -> None:
    packer = Packer()
    records = [packer.pack(junction) for junction in made]
    for junction, record in zip(made, records, strict=True):
        assert len(record) <= 85 + 18
        assert content(packer.look(junction.key, record)) == content(junction)
        started, pool, member = GLANCE.unpack_from(record)
        assert (started, packer.place(pool, member)) == (junction.started, (junction.pool, junction.member))
    for junction, record in zip(made, records, strict=True):
        assert content(packer.unpack(junction.key, record)) == content(junction)
    assert packer.shared == 0
