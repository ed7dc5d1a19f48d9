"""SYN-ACKs of a server whose connection is joined: one that it repeats, and one of what it takes for a new one."""

from __future__ import annotations

import pytest

from slowpath.wire import sequence as seq
from slowpath.wire import tcp
from slowpath.wire.options import Options
from slowpath.wire.tcp import ACK, RST, SYN, Segment
from tests.simulation.requests import Routed, converse, get
from tests.simulation.world import SERVER_SIDE


class Spliced:
    """A connection that is spliced, and what its server is sent from now on."""

    def __init__(self, *, rest_after: float = 2.0) -> None:
        self.world = Routed(rest_after=rest_after)
        self.client = self.world.client()
        converse(self.world, self.client, [get("/a/1")])
        self.world.clock.run(1.0)
        ((_, source),) = self.world.server_side
        (self.server,) = self.world.server_side.values()
        self.source, self.sent = source, list[Segment]()
        self.server.deliver = lambda packet: self.sent.append(tcp.parse(packet))  # type: ignore[method-assign]

    def syn_ack(self, isn: int) -> Segment:
        """Let one arrive from the server; returns it."""
        options = Options(mss=1460, window_scale=7, timestamps=(77, 55))
        segment = Segment(self.server.local, self.source, isn, seq.add(self.client.iss, 1), SYN | ACK, 1000, options)
        self.world.inject_raw(SERVER_SIDE, tcp.build(segment))
        self.world.clock.run(0.1)
        return segment


@pytest.mark.parametrize("rests", [False, True])
def test_one_that_comes_again_is_confirmed_again(rests: bool) -> None:
    spliced = Spliced(rest_after=0.01 if rests else 60.0)
    assert spliced.world.splicer.resting_count == rests
    syn_ack = spliced.syn_ack(spliced.server.iss)
    (ack,) = spliced.sent
    assert (ack.flags, ack.sequence, ack.acknowledgment) == (ACK, syn_ack.acknowledgment, seq.add(syn_ack.sequence, 1))
    assert ack.options.timestamps == (55, 77)
    assert len(spliced.world.splicer.connections()) == 1


def test_another_one_is_refused() -> None:
    spliced = Spliced()
    syn_ack = spliced.syn_ack(seq.add(spliced.server.iss, 1000))
    (reset,) = spliced.sent
    assert (reset.flags, reset.sequence, reset.payload) == (RST, syn_ack.acknowledgment, b"")
    assert len(spliced.world.splicer.connections()) == 1
