"""Replies that the slow path waits for are so no more once a splice carries them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fastpath.ebpf import layout
from fastpath.records import Flow, Listener, Reason, Server, Splice, Tuple4
from fastpath.verdict import Passed, Punted, Sent
from slowpath.wire.endpoint import Endpoint
from tests.conformance.ebpf_target import EbpfTarget
from tests.conformance.packets import Tcp
from tests.conformance.target import CLIENT_PORT, SERVER_PORT, Rules

CLIENT, VIP = Endpoint.parse("10.1.0.2:40000"), Endpoint.parse("10.1.0.100:80")
SERVER, SOURCE = Endpoint.parse("10.2.0.2:8080"), Endpoint.parse("10.2.0.17:50000")
SPLICE = Splice(Flow(CLIENT, VIP), SERVER, 7, SOURCE, delta=5)
REPLY = Tcp(source=SERVER, destination=SOURCE)


@pytest.fixture
def target() -> Iterator[EbpfTarget]:
    target = EbpfTarget()
    yield target
    target.close()


def test_the_first_reply_of_a_splice_ends_its_expectation(target: EbpfTarget) -> None:
    target.program(Rules((Listener(VIP),), (Server(7, SERVER),), ()))
    assert target.receive(SERVER_PORT, REPLY.arriving(SERVER_PORT)) == Passed()
    target.expect(Tuple4(SERVER, SOURCE))
    assert isinstance(target.receive(SERVER_PORT, REPLY.arriving(SERVER_PORT)), Punted)
    target.install(SPLICE)
    request = Tcp(source=CLIENT, destination=VIP)
    assert isinstance(target.receive(CLIENT_PORT, request.arriving(CLIENT_PORT)), Sent)
    assert target.expects() == [layout.tuple4(Tuple4(SERVER, SOURCE))]
    assert isinstance(target.receive(SERVER_PORT, REPLY.arriving(SERVER_PORT)), Sent)
    assert target.expects() == []
    assert target.counters().punts[Reason.MISS] == 1


def test_a_reply_within_a_withdrawal_leaves_the_next_one_expected(target: EbpfTarget) -> None:
    target.program(Rules((Listener(VIP),), (Server(7, SERVER),), (SPLICE,)))
    target.withdrawing(SPLICE.flow)
    assert isinstance(target.receive(SERVER_PORT, REPLY.arriving(SERVER_PORT)), Sent)
    assert target.expects() == [layout.tuple4(Tuple4(SERVER, SOURCE))]
