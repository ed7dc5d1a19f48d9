"""More than one P4Runtime controller: one is primary, and L7LB knows whether it is."""

from __future__ import annotations

from pathlib import Path

from deploy.laboratory import VIP, Laboratory
from deploy.laboratory.namespace import wait_until
from deploy.laboratory.run import CLI
from tests.e2e.clients import curl
from tests.e2e.fastpaths import BEHIND_P4RUNTIME
from tests.e2e.other_controller import OtherController
from tests.e2e.runs import running
from tests.e2e.sockets import TIMEOUT, connect, read_exactly, read_head
from tests.e2e.switch_tables import records
from tests.e2e.transfers import expect_download

pytestmark = BEHIND_P4RUNTIME

_PORT, _END = 80, 20.0
_REQUEST = f"GET /10M HTTP/1.1\r\nHost: {VIP}\r\nConnection: close\r\n\r\n".encode()
_SIZE = 10_000_000


def test_another_one_is_primary_for_a_while(laboratory: Laboratory) -> None:
    """It empties the switch; when it has left, open connections go on, and L7LB hears of their ends again."""
    with running(laboratory, timeouts={"linger": "500ms"}) as run:
        with connect(laboratory.client, VIP, _PORT) as client:
            client.sendall(_REQUEST)
            rest = _SIZE - len(read_head(client).partition(b"\r\n\r\n")[2])
            with OtherController(laboratory, 2):
                wait_until(lambda: run.metrics().total("l7lb_fastpath_up") == 0, TIMEOUT, "the switch is another's")
                assert run.process.poll() is None
            wait_until(lambda: run.metrics().total("l7lb_fastpath_up") == 1, TIMEOUT, "the switch is L7LB's again")
            assert len(read_exactly(client, rest)) == rest
        assert curl(laboratory, "/1k").status == 200
        wait_until(lambda: run.status()["connections"] == 0, TIMEOUT, "no connection is left")
        wait_until(lambda: records(laboratory) == 0, TIMEOUT, "no record is left")


def test_one_that_has_precedence_is_left_alone(laboratory: Laboratory, tmp_path: Path) -> None:
    with OtherController(laboratory, 7):
        said = _refused(laboratory, laboratory.config(), tmp_path)
    assert "another controller is primary" in said
    assert "election id 7" in said
    with running(laboratory):
        assert curl(laboratory, "/1k").status == 200


def test_a_second_instance_with_the_same_election_id_is_refused(laboratory: Laboratory, tmp_path: Path) -> None:
    with running(laboratory) as run:
        config = laboratory.config(admin=str(tmp_path / "admin"), metrics="127.0.0.1:9191")
        assert "election" in _refused(laboratory, config, tmp_path)
        expect_download(laboratory, "100k")
        assert run.metrics().total("l7lb_fastpath_up") == 1


def _refused(laboratory: Laboratory, config: Path, directory: Path) -> str:
    """Start L7LB, which has to end; returns what it said."""
    log = directory / "refused.log"
    process = laboratory.balancer.popen([*CLI, "run", str(config)], log=log)
    assert process.wait(_END) == 1
    said = log.read_text()
    assert "Traceback" not in said
    return said
