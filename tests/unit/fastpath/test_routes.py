"""Step 9 of the reference: which next hop a destination has."""

from __future__ import annotations

import pytest

from fastpath.frame import OFFLOAD_LENGTH, Action, encode
from fastpath.lookup import Tables
from fastpath.records import Drop, NextHop
from fastpath.reference import injected
from fastpath.verdict import Dropped, Sent
from slowpath.wire.endpoint import Endpoint
from tests.conformance.packets import Tcp

MACS = (bytes(6), bytes(6))
ROUTES = (
    NextHop((bytes((10, 0, 0, 0)), 8), 1, *MACS),
    NextHop((bytes((10, 2, 3, 4)), 32), 2, *MACS),
    NextHop((bytes((10, 2, 0, 0)), 15), 3, *MACS),
    NextHop((bytes((192, 0, 2, 0)), 31), 4, *MACS),
    NextHop((bytes(16), 0), 5, *MACS),
)
DEFAULT = NextHop((bytes(4), 0), 9, *MACS)


@pytest.mark.parametrize(
    ("destination", "port"),
    [
        ("10.9.9.9:1", 1),
        ("10.2.3.4:1", 2),
        ("10.2.3.5:1", 3),
        ("10.3.255.255:1", 3),
        ("10.4.0.0:1", 1),
        ("192.0.2.1:1", 4),
        ("192.0.2.2:1", None),
        ("11.0.0.0:1", None),
    ],
)
@pytest.mark.parametrize("default", [(), (DEFAULT,)])
def test_the_longest_prefix_decides(destination: str, port: int | None, default: tuple[NextHop, ...]) -> None:
    packet = Tcp(source=Endpoint.parse("10.0.0.1:1"), destination=Endpoint.parse(destination)).packet()
    tables = Tables({}, frozenset(), {}, frozenset(), (*default, *ROUTES), frozenset())
    verdict = injected(tables, encode(packet, Action.ROUTE)[OFFLOAD_LENGTH:]).verdict
    if port is None and not default:
        assert verdict == Dropped(Drop.NO_ROUTE)
    else:
        assert isinstance(verdict, Sent)
        assert verdict.port == (DEFAULT.port if port is None else port)
