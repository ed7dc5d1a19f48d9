"""A balancer that is stopped leaves its host as it found it."""

from __future__ import annotations

from deploy.laboratory import VIP, Laboratory
from deploy.laboratory.namespace import wait_until
from tests.e2e.clients import curl
from tests.e2e.sockets import connect, read_exactly, read_head, refuses

_PORT = 80
_SIZE = 100_000_000

_SHOWN = (
    "ip -br link",
    "ip -4 -br address",
    "ip -4 route show table all",
    "tc qdisc show",
    "tc filter show dev eth0 ingress",
    "sysctl -a -r ^net.ipv4.conf",
)


def test_host_is_as_before(laboratory: Laboratory) -> None:
    before = _network(laboratory)
    run = laboratory.run(laboratory.config())
    assert curl(laboratory, "/1k").status == 200
    assert _network(laboratory) != before
    assert run.stop() == 0, run.log_tail()
    assert _network(laboratory) == before
    assert not laboratory.pins.exists()
    assert not laboratory.admin.exists()


def _network(laboratory: Laboratory) -> list[list[str]]:
    return [sorted(laboratory.balancer.run(command.split()).splitlines()) for command in _SHOWN]


def test_open_connections_end_in_peace_and_new_ones_are_refused(laboratory: Laboratory) -> None:
    run = laboratory.run(laboratory.config())
    with connect(laboratory.client, VIP, _PORT) as client:
        client.sendall(f"GET /100M HTTP/1.1\r\nHost: {VIP}\r\nConnection: close\r\n\r\n".encode())
        rest = _SIZE - len(read_head(client).partition(b"\r\n\r\n")[2])
        run.process.terminate()
        wait_until(lambda: refuses(laboratory.client, VIP, _PORT), 5.0, "new connections are refused")
        assert run.process.poll() is None
        read_exactly(client, rest)
        assert client.recv(1) == b""
    assert run.process.wait(10) == 0
