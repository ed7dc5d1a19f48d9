"""Snapshots survive the way through JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowpath.control.status import ConnectionList, ConnectionRow, PoolStatus, ServerStatus, Status

SECONDS = st.floats(min_value=0, allow_nan=False, allow_infinity=False)


SERVERS = st.builds(ServerStatus, ejected_seconds=SECONDS)
POOLS = st.builds(PoolStatus, servers=st.lists(SERVERS, max_size=3).map(tuple))


@given(st.builds(Status, uptime_seconds=SECONDS, pools=st.lists(POOLS, max_size=3).map(tuple)))
def test_a_status_comes_back_as_it_was(status: Status) -> None:
    assert Status.from_json(json.loads(json.dumps(status.to_json()))) == status


@given(st.integers(0), st.lists(st.builds(ConnectionRow, age_seconds=SECONDS), max_size=3))
def test_connections_come_back_as_they_were(left_out: int, rows: list[ConnectionRow]) -> None:
    listed = ConnectionList(len(rows) + left_out, tuple(rows))
    assert ConnectionList.from_json(json.loads(json.dumps(listed.to_json()))) == listed
    assert listed.left_out == left_out


def test_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="version"):
        Status.from_json({"connections": 1})
