"""The benchmark of a full table at its smallest: connections on paper beside real ones, in one instance."""

from __future__ import annotations

from bench.million.traffic import CONNECTION_PORT, REQUEST_PORT, SMALL, instance
from deploy.laboratory import VIP
from deploy.laboratory.namespace import wait_until

COUNT = 512


def test_real_connections_are_served_beside_a_population() -> None:
    """All of the population is spliced and stays so, and it is told what each connection took."""
    with instance(capacity=1024) as l7lb:
        l7lb.ask("populate", count=COUNT, batch=256)
        wait_until(lambda: bool(l7lb.ask("population")["settled"]), 60.0, "the population is there", 0.1)
        told = l7lb.ask("population")
        assert [connections for connections, _ in told["checkpoints"]] == [256, 512]
        assert all(spent > 0 for _, spent in told["checkpoints"])
        for port in (REQUEST_PORT, CONNECTION_PORT):
            command = ["curl", "-sSf", "-m", "10", "-o", "/dev/null", "-w", "%{size_download}"]
            assert l7lb.laboratory.client.run([*command, f"http://{VIP}:{port}/{SMALL}"]) == "100"
        status = l7lb.ask("status")
        assert status["fastpath"]["splices"] >= COUNT
        [server] = [server for pool in status["pools"] for server in pool["servers"]]
        assert server["connections"] >= COUNT
