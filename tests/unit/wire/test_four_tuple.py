"""4-tuples as bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowpath.wire import four_tuple, tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from slowpath.wire.tcp import Segment

PORTS = st.integers(0, 65535)


def endpoints(length: int) -> st.SearchStrategy[Endpoint]:
    return st.builds(Endpoint, st.binary(min_size=length, max_size=length), PORTS)


PAIRS = st.sampled_from([4, 16]).flatmap(lambda length: st.tuples(endpoints(length), endpoints(length)))


@given(PAIRS)
def test_a_key_says_both_ends(ends: tuple[Endpoint, Endpoint]) -> None:
    key = four_tuple.pack(*ends)
    assert four_tuple.unpack(key) == ends
    assert four_tuple.length(ends[0].address) == len(key)
    assert key[four_tuple.SOURCE_PORT] == ends[0].port & 0xFF
    assert key[four_tuple.DESTINATION_PORT] == ends[1].port & 0xFF


@pytest.mark.parametrize(
    ("source", "destination", "place"),
    [("192.0.2.1:40000", "10.1.0.100:80", slice(12, 24)), ("[2001:db8::1]:40000", "[2001:db8::2]:80", slice(8, 44))],
)
def test_a_key_is_as_it_stands_in_the_packet(source: str, destination: str, place: slice) -> None:
    ends = Endpoint.parse(source), Endpoint.parse(destination)
    assert four_tuple.pack(*ends) == tcp.build(Segment(*ends, 1, 2, tcp.ACK, 3, Options()))[place]
