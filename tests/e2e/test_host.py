"""The balancer's host goes on as before: its own traffic and what it routes is nobody's business."""

from __future__ import annotations

import errno
import socket

from deploy.laboratory import VIP, Laboratory, Run
from deploy.laboratory.namespace import wait_until
from deploy.laboratory.topology import CLIENT_GATEWAY
from tests.e2e.clients import ab, curl
from tests.e2e.sockets import TIMEOUT, connect, read_all, read_head, reset, sending, tcp_socket

_SSH = 2222
_REQUEST = b"GET /1k HTTP/1.1\r\nHost: a\r\n\r\n"


def test_host_serves_its_own_tcp(laboratory: Laboratory, run: Run) -> None:
    _expect_exchange(laboratory, CLIENT_GATEWAY)


def test_vip_serves_tcp_beside_the_listener(laboratory: Laboratory, run: Run) -> None:
    _expect_exchange(laboratory, VIP)


def test_vip_answers_pings(laboratory: Laboratory, run: Run) -> None:
    output = laboratory.client.run(["ping", "-c", "5", "-i", "0.01", "-W", "1", VIP])
    assert " 0% packet loss" in output


def test_closed_port_of_the_vip_refuses(laboratory: Laboratory, run: Run) -> None:
    with tcp_socket(laboratory.client) as client:
        assert client.connect_ex((VIP, 9)) == errno.ECONNREFUSED


def test_routed_traffic_passes(laboratory: Laboratory, run: Run) -> None:
    server = laboratory.servers[0]
    assert curl(laboratory, "/1k", address=server.address).server == server.name
    before = run.metrics()
    assert ab(laboratory, "/10k", requests=1000, concurrency=16, address=server.address) == 0
    after = run.metrics()
    assert after.total("l7lb_server_packets_total") == before.total("l7lb_server_packets_total")
    assert after.total("l7lb_drops_total") == before.total("l7lb_drops_total")


def test_port_goes_directly_once_its_balanced_connection_is_forgotten(laboratory: Laboratory, run: Run) -> None:
    """To the server the two come from the same address and port, so that one waits for the other."""
    with connect(laboratory.client, VIP, 80) as client:
        port = client.getsockname()[1]
        client.sendall(_REQUEST)
        head = read_head(client).decode()
        reset(client)
    wait_until(lambda: run.metrics().total("l7lb_splices") == 0, TIMEOUT, "the record is gone")
    server = next(server for server in laboratory.servers if f"X-Server: {server.name}\r\n" in head)
    with connect(laboratory.client, server.address, 80, source_port=port) as client:
        client.sendall(_REQUEST)
        assert read_head(client).startswith(b"HTTP/1.1 200 ")


def _expect_exchange(laboratory: Laboratory, address: str) -> None:
    data = bytes(range(256)) * 10_000
    with tcp_socket(laboratory.balancer) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, _SSH))
        listener.listen()
        with connect(laboratory.client, address, _SSH) as client:
            server, _ = listener.accept()
            with server, sending(server, data):
                assert read_all(client) == data
