"""A client that uses its port again at another listener, whose server it has just had through the first one."""

from __future__ import annotations

from deploy.laboratory import VIP, Laboratory
from deploy.laboratory.configuration import pool
from deploy.laboratory.namespace import wait_until
from tests.e2e.fastpaths import EVERY_FASTPATH
from tests.e2e.runs import running
from tests.e2e.sockets import connect, read_all
from tests.e2e.transfers import server_of

pytestmark = EVERY_FASTPATH

_PORTS = 80, 81
_SOURCE_PORT = 45_000


def test_the_second_listener_does_not_wait_for_the_first(laboratory: Laboratory) -> None:
    server = laboratory.servers[0]
    listeners = {f"at{port}": {"address": f"{VIP}:{port}", "default": "web"} for port in _PORTS}
    with running(laboratory, listeners=listeners, pools={"web": pool(server.address)}) as run:
        for port in _PORTS:
            with connect(laboratory.client, VIP, port, source_port=_SOURCE_PORT) as client:
                client.sendall(b"GET /1k HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                assert server_of(read_all(client)) == server.name
            # The fast path has seen the end of the connection; what it keeps of it is there for seconds.
            wait_until(lambda: not run.metrics().total("l7lb_server_connections"), 10.0, "it is over")
        assert run.metrics().total("l7lb_connect_failures_total", reason="busy") == 0
