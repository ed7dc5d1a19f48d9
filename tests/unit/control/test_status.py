"""Snapshots survive the way through JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowpath.control.status import ConnectionRow, PoolStatus, ServerStatus, Status

SECONDS = st.floats(min_value=0, allow_nan=False, allow_infinity=False)


SERVERS = st.builds(ServerStatus, ejected_seconds=SECONDS)
POOLS = st.builds(PoolStatus, servers=st.lists(SERVERS, max_size=3).map(tuple))


@given(st.builds(Status, uptime_seconds=SECONDS, pools=st.lists(POOLS, max_size=3).map(tuple)))
def test_a_status_comes_back_as_it_was(status: Status) -> None:
    assert Status.from_json(json.loads(json.dumps(status.to_json()))) == status


@given(st.lists(st.builds(ConnectionRow, age_seconds=SECONDS)))
def test_connections_come_back_as_they_were(rows: list[ConnectionRow]) -> None:
    assert ConnectionRow.list_from_json(json.loads(json.dumps([row.to_json() for row in rows]))) == rows


def test_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="version"):
        Status.from_json({"connections": 1})
