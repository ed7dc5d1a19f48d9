"""What an operator may ask of the list of connections."""

from __future__ import annotations

import pytest

from slowpath.control.searching import LIMIT, MAX_LIMIT, wanted
from slowpath.splicing.phases import Phase
from slowpath.splicing.search import Prefix, Wanted
from slowpath.wire.endpoint import Endpoint


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        ({}, Wanted(LIMIT)),
        ({"limit": None, "client": None, "server": None, "pool": None, "state": None}, Wanted(LIMIT)),
        ({"limit": MAX_LIMIT}, Wanted(MAX_LIMIT)),
        ({"client": "192.0.2.7"}, Wanted(LIMIT, client=Prefix(bytes((192, 0, 2, 7)), 32))),
        ({"client": "192.0.2.7/24"}, Wanted(LIMIT, client=Prefix(bytes((192, 0, 2, 0)), 24))),
        ({"client": "2001:db8::/32"}, Wanted(LIMIT, client=Prefix(bytes.fromhex("20010db8").ljust(16, b"\0"), 32))),
        ({"server": "[::1]:80"}, Wanted(LIMIT, server=Endpoint(bytes(15) + b"\1", 80))),
        ({"pool": "web", "state": "spliced"}, Wanted(LIMIT, pool="web", phase=Phase.SPLICED)),
    ],
)
def test_asked(arguments: dict[str, object], meant: Wanted) -> None:
    assert wanted(arguments) == meant


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"limit": 0}, "0 is no number of connections from 1 to 10000"),
        ({"limit": MAX_LIMIT + 1}, "10001 is no number of connections from 1 to 10000"),
        ({"limit": True}, "True is no number of connections"),
        ({"limit": "10"}, "'10' is no number of connections"),
        ({"client": "example.com"}, "'example.com' is neither an IP address nor a network"),
        ({"client": 7}, "'client' is not a text: 7"),
        ({"server": "10.0.0.1"}, "'10.0.0.1' is not ADDRESS:PORT"),
        ({"state": "gone"}, "there is no state 'gone': there are reading, "),
        ({"state": ["spliced"]}, "there is no state"),
    ],
)
def test_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        wanted(arguments)
    assert message in str(refused.value)
