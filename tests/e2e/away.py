"""What L7LB does, and says, while it cannot write to the switch's tables."""

from __future__ import annotations

from deploy.laboratory import Laboratory, Run
from deploy.laboratory.namespace import wait_until
from tests.e2e.clients import curl
from tests.e2e.sockets import TIMEOUT

_FORWARDS_INSTEAD = "new connections are forwarded by the slow path"
_SPLICES_AGAIN = "the fast path takes new connections again"


def wait_until_it_forwards_instead(laboratory: Laboratory, run: Run) -> None:
    """Make connections, all of which have to be served, until the slow path forwards one."""
    _wait(laboratory, run, _FORWARDS_INSTEAD, TIMEOUT)
    assert run.metrics().total("l7lb_fastpath_up") == 0


def wait_until_it_splices_again(laboratory: Laboratory, run: Run) -> None:
    """Make connections, all of which have to be served, until one is spliced; all of it is told once."""
    _wait(laboratory, run, _SPLICES_AGAIN, 2 * TIMEOUT)
    assert run.metrics().total("l7lb_fastpath_up") == 1
    assert run.said().count(_FORWARDS_INSTEAD) == run.said().count(_SPLICES_AGAIN) == 1


def _wait(laboratory: Laboratory, run: Run, words: str, timeout: float) -> None:
    def told() -> bool:
        assert curl(laboratory, "/1k").status == 200
        return words in run.said()

    wait_until(told, timeout, f"l7lb says: {words}")
