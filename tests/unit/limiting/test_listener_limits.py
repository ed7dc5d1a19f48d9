"""The limits of a listener on new connections."""

from __future__ import annotations

import pytest

from slowpath.limiting.clients import ClientPrefix
from slowpath.limiting.limits import Exceeded, ListenerLimits
from slowpath.limiting.rate import Rate, RateLimit
from slowpath.limiting.slots import Slots, Taken

ALICE = bytes((192, 0, 2, 1))


def test_nothing_is_limited_unless_it_is() -> None:
    assert ListenerLimits().admit(ALICE, 1.0) is None


def test_connections_at_once() -> None:
    limits = ListenerLimits(connections=Slots(1, ClientPrefix(), Taken()))
    slot = limits.admit(ALICE, 1.0)
    with pytest.raises(Exceeded) as exceeded:
        limits.admit(ALICE, 1.0)
    assert exceeded.value.kind == "connections"
    assert slot is not None
    slot.release()
    assert limits.admit(ALICE, 1.0) is not None


def test_connections_by_the_second() -> None:
    limits = ListenerLimits(connection_rate=RateLimit(Rate(1, 1), ClientPrefix()))
    assert limits.admit(ALICE, 1.0) is None
    with pytest.raises(Exceeded) as exceeded:
        limits.admit(ALICE, 1.5)
    assert exceeded.value.kind == "connection_rate"
    assert limits.admit(ALICE, 2.0) is None
