"""A balancer that is stopped leaves its host as it found it."""

from __future__ import annotations

from deploy.laboratory import Laboratory
from tests.e2e.clients import curl

_SHOWN = (
    "ip -br link",
    "ip -br address",
    "ip route show table all",
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
