"""What the table of servers says of their health."""

from __future__ import annotations

import pytest

from slowpath.control.status import FastPathStatus, PoolStatus, ServerStatus, Status
from slowpath.control.tables import show_status


@pytest.mark.parametrize(
    ("server", "shown"),
    [
        (ServerStatus("10.2.0.2:80", True, False, 1, 3), ("up",)),
        (
            ServerStatus("10.2.0.2:80", False, False, 1, 3, "status 503", rise=8),
            ("down", "status 503; comes up after 8 good probes in a row"),
        ),
        (
            ServerStatus("10.2.0.2:80", True, False, 1, 3, ejected="reset", ejected_seconds=12.0),
            ("ejected", "ejected (reset), for 12.0s"),
        ),
        (ServerStatus("10.2.0.2:80", True, False, 1, 3, ejected="connect"), ("ejected", "ejected (connect), on trial")),
    ],
)
def test_a_server(server: ServerStatus, shown: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    pool = PoolStatus("web", "round_robin", (server,))
    show_status(Status("1", 1.0, FastPathStatus("ebpf", 0, 1), 0, (), (pool,)))
    [line] = [line for line in capsys.readouterr().out.splitlines() if "10.2.0.2:80" in line]
    assert all(text in line for text in shown)
