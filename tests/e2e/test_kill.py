"""A balancer that was killed, and the one that takes its place."""

from __future__ import annotations

from deploy.laboratory import VIP, Laboratory
from deploy.laboratory.run import CLI
from tests.e2e.clients import curl
from tests.e2e.sockets import connect, read_exactly

_PORT = 80
_REQUEST = f"GET /100M HTTP/1.1\r\nHost: {VIP}\r\n\r\n".encode()


def test_after_a_kill(laboratory: Laboratory) -> None:
    """One that was killed leaves records in the kernel; the next one starts without them."""
    killed = laboratory.run(laboratory.config())
    with connect(laboratory.client, VIP, _PORT) as client:
        client.sendall(_REQUEST)
        read_exactly(client, 1000)
        killed.process.kill()
        killed.process.wait()
        again = laboratory.run(laboratory.config())
        assert curl(laboratory, "/1k").status == 200
    assert again.stop() == 0, again.log_tail()


def test_second_instance_leaves_the_first_alone(laboratory: Laboratory) -> None:
    """Started twice by mistake: the second refuses before it touches anything."""
    first = laboratory.run(laboratory.config())
    second = laboratory.balancer.popen([*CLI, "run", str(laboratory.config())], log=laboratory.directory / "second.log")
    assert second.wait(20) == 1
    assert "another l7lb is running" in (laboratory.directory / "second.log").read_text()
    assert curl(laboratory, "/1k").status == 200
    assert first.stop() == 0, first.log_tail()
