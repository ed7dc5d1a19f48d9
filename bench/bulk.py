"""Bulk throughput through L7LB, beside the same two hosts routed directly and behind HAProxy.

Eight keep-alive connections of one client fetch 10 MB objects from one server; the three ways take
turns, in an order that turns round as well, so that whatever else the machine does meets them alike.
Exits with 1 if L7LB has less than 0.9 of the direct throughput in the median round.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template

from deploy.laboratory import VIP, Laboratory
from deploy.laboratory.configuration import pool
from deploy.laboratory.namespace import wait_until
from deploy.laboratory.topology import CLIENT_GATEWAY

CONNECTIONS = 8
OBJECT = "10M"
REQUIRED = 0.9
_HAPROXY_PORT = 8080
_REPORT = Path(__file__).with_name("report.lua")
_HAPROXY = Template("""\
global
    maxconn 1000
defaults
    mode http
    option splice-auto
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen bulk
    bind $bind
    server one $server
""")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="measurements of each way (default: 10)")
    parser.add_argument("--seconds", type=int, default=3, help="seconds of each measurement (default: 3)")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with Laboratory(servers=1) as laboratory, haproxy(laboratory) as third:
        server = laboratory.servers[0].address
        listener = {"address": f"{VIP}:80", "protocol": "http", "default": "web"}
        laboratory.run(laboratory.config(listeners={"web": listener}, pools={"web": pool(server)}))
        ways = {"direct": laboratory.servers[0].direct, "l7lb": VIP} | third
        figures: dict[str, list[float]] = {way: [] for way in ways}
        print("MB/s    " + "".join(f"{way:>10}" for way in ways))
        for number in range(1, arguments.rounds + 1):
            for way, address in list(ways.items())[:: 1 if number % 2 else -1]:
                figures[way].append(throughput(laboratory, address, arguments.seconds))
            print(f"round {number:2}" + "".join(f"{values[-1]:10.0f}" for values in figures.values()), flush=True)
    ratios = {way: median_ratio(values, figures["direct"]) for way, values in figures.items()}
    print("median  " + "".join(f"{statistics.median(values):10.0f}" for values in figures.values()))
    print("ratio   " + "".join(f"{ratio:10.2f}" for ratio in ratios.values()))
    if ratios["l7lb"] < REQUIRED:
        print(f"l7lb is below {REQUIRED} of the direct path", file=sys.stderr)
        return 1
    return 0


def median_ratio(values: list[float], reference: list[float]) -> float:
    """The median of the ratios within the rounds: what slows a round down slows both of its terms."""
    return statistics.median(value / base for value, base in zip(values, reference, strict=True))


def throughput(laboratory: Laboratory, address: str, seconds: int) -> float:
    """Megabytes per second that the client receives."""
    output = laboratory.client.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "-s", str(_REPORT), f"http://{address}/{OBJECT}"]
    )
    found = re.search(r"^bytes=(\d+) microseconds=(\d+) errors=(\d+)$", output, re.M)
    assert found, output
    assert found[3] == "0", output
    return int(found[1]) / int(found[2])


@contextmanager
def haproxy(laboratory: Laboratory) -> Iterator[dict[str, str]]:
    """HAProxy on the balancer's host, by name and address; nothing if it is not installed."""
    if shutil.which("haproxy") is None:
        yield {}
        return
    address = f"{CLIENT_GATEWAY}:{_HAPROXY_PORT}"
    config = laboratory.directory / "haproxy.cfg"
    config.write_text(_HAPROXY.substitute(bind=address, server=f"{laboratory.servers[0].address}:80"))
    laboratory.balancer.popen(["haproxy", "-db", "-f", str(config)], log=laboratory.directory / "haproxy.log")
    probe = ["curl", "-sf", "-m", "1", f"http://{address}/healthz"]
    wait_until(lambda: laboratory.client.succeeds(probe), 5.0, "haproxy answers")
    yield {"haproxy": address}


if __name__ == "__main__":
    sys.exit(main())
