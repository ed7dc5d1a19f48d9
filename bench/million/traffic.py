"""Traffic beside a full table: two laboratories, L7LB with a million connections in one and with none in the other.

The clients, servers and loads are the same, and take turns. The connections of the full one are made as real ones are:
request and SYN-ACK of each pass the driver, the splicing engine and the installs of the eBPF fast path; only their
peers are on paper (peers.py). `request` is HTTP with every request routed, so that the slow path has one packet and
one moved pivot a request; `connection` leaves all but the first one to the fast path.
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.million import section
from bench.million.results import Findings
from deploy.comparison.loads import WrkOutput
from deploy.laboratory import VIP, Laboratory
from deploy.laboratory.configuration import METRICS, pool
from deploy.laboratory.namespace import LaboratoryError, end, wait_until
from slowpath.control.admin import AdminError, request

_THOROUGH, _QUICK = (5, 1), (3, 1)
"""Rounds of each load, and the seconds of one."""
_LARGE = 1 << 18
"""Splices from which on it is worth it to be thorough."""
ROOM = 4096
"""Splices that are left for real connections."""
_BATCH = 256
"""Connections at once: as many packets as the fast path takes from its interface in one go."""
_LOOKING = 5.0
"""Seconds for which an instance without traffic is looked at."""
_FILLING = 0.002
"""Seconds that a connection of the population may take at most, on average."""
_ROOT = Path(__file__).parents[2]
_SCRIPT = _ROOT / "deploy" / "comparison" / "wrk.lua"
_PATIENT = {"http": "/healthz", "interval": "5s", "timeout": "5s", "rise": 1, "fall": 10}
"""Health checks that bear that a population comes faster than clients do, on a machine that does other things, too."""
REQUEST_PORT, CONNECTION_PORT = 80, 81
SMALL = "100B"
"""The name of a file of as many bytes."""
_STOP_TIMEOUT = 60.0


class Instance:
    """L7LB in a laboratory of its own."""

    def __init__(self, laboratory: Laboratory, capacity: int) -> None:
        self.laboratory = laboratory
        self.failed = 0
        """Requests that did not get what they asked for."""
        routing = {"request": REQUEST_PORT, "connection": CONNECTION_PORT}
        config = laboratory.config(
            fastpath=laboratory.default_config()["fastpath"] | {"capacity": capacity},
            timeouts={"idle": "3600s", "drain": "1s", "connect": "60s"},
            listeners={
                name: {"address": f"{VIP}:{port}", "protocol": "http", "routing": name, "default": "web"}
                for name, port in routing.items()
            },
            pools={"web": pool(*(server.address for server in laboratory.servers), health=_PATIENT)},
        )
        self._log = laboratory.directory / "million.log"
        command = [sys.executable, "-m", "bench.million.instance", str(config)]
        self.process = laboratory.balancer.popen(command, log=self._log, cwd=_ROOT)
        try:
            wait_until(self._is_ready, 30.0, "l7lb is ready")
        except Exception as error:
            self.stop()
            raise RuntimeError(self._log.read_text()) from error

    def _is_ready(self) -> bool:
        try:
            status = self.ask("status")
        except AdminError:
            return False
        return all(server["up"] for one in status["pools"] for server in one["servers"])

    def ask(self, command: str, **arguments: object) -> Any:  # noqa: ANN401 (JSON)
        """What the admin socket answers."""
        return request(self.laboratory.admin, command, arguments, timeout=60.0)

    def cpu(self) -> float:
        """Seconds of CPU time that the process's main thread, which has the event loop, has used."""
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) / 1e9

    def stop(self) -> None:
        """End it."""
        end(self.process, _STOP_TIMEOUT)


@contextmanager
def instance(capacity: int) -> Iterator[Instance]:
    """L7LB, and the laboratory around it."""
    with Laboratory(servers=1) as laboratory:
        laboratory.serve(SMALL, bytes(100))
        running = Instance(laboratory, capacity)
        try:
            yield running
        finally:
            running.stop()


async def measure(count: int) -> Findings:
    """All figures for a table of `count` splices."""
    found = Findings("The table full", __doc__ or "")
    with ExitStack() as stack:
        empty, full = stack.enter_context(instance(count)), stack.enter_context(instance(count))
        _fill(full, count - min(ROOM, count // 4), found)
        _look(full, found)
        _compare(empty, full, *(_THOROUGH if count >= _LARGE else _QUICK), found)
        found.add("connections of ab that failed: empty", empty.failed, wanted="0")
        found.add("connections of ab that failed: full", full.failed, wanted="0")
    return found


def _fill(full: Instance, count: int, found: Findings) -> None:
    full.ask("turns")
    begun = time.monotonic()
    full.ask("populate", count=count, batch=_BATCH)
    wait_until(lambda: bool(full.ask("population")["settled"]), 60 + count * _FILLING, "the table is full", 0.5)
    told = full.ask("population")
    cpu, _ = full.ask("turns")
    spent = full.cpu()
    curve = found.curve("new connection", "us of CPU time in the slow path", "request, SYN-ACK, install")
    for connections, each in told["checkpoints"]:
        curve.add(connections, each)
    status = full.ask("status")
    found.add("connections made", count)
    found.add("splices in the fast path, as `status` tells", status["fastpath"]["splices"], wanted=f"{count:,}")
    found.add("seconds until the table was full", time.monotonic() - begun, "s by the clock")
    found.add("memory of the process per connection", told["bytes_each"], "bytes", note="resident, fast path included")
    found.add("longest turn of the loop meanwhile", cpu * 1e3, "ms of CPU time")
    found.add("CPU time of the whole process until then", spent, "s")


def _look(full: Instance, found: Findings) -> None:
    """How long operators wait."""
    url = f"http://{METRICS}/metrics"
    questions: dict[str, Callable[[], object]] = {
        "`status` (all that `l7lb top` asks)": lambda: full.ask("status"),
        "`connections`": lambda: full.ask("connections"),
        "a scrape": lambda: full.laboratory.balancer.run(["curl", "-sSf", "-o", "/dev/null", url]),
    }
    for name, question in questions.items():
        full.ask("turns")
        waited = []
        for _ in range(3):
            begun = time.monotonic()
            question()
            waited.append(time.monotonic() - begun)
        found.add(f"{name}: answered within", statistics.median(waited), "s by the clock", wanted="< 1")
        found.add(f"{name}: longest turn of the loop", full.ask("turns")[0] * 1e3, "ms of CPU time")
    full.ask("turns", stop=True)
    before = full.cpu()
    time.sleep(_LOOKING)
    found.add("CPU time of the full one without any traffic", (full.cpu() - before) / _LOOKING, "s/s", note="sweeps")


@dataclass(frozen=True, slots=True)
class Load:
    """Keep-alive connections by wrk, or, with `anew`, one for each request by ab."""

    name: str
    unit: str
    port: int
    connections: int
    file: str
    anew: bool = False
    seen: bool = True
    """Whether L7LB's process sees more of it than its beginning."""

    def run(self, one: Instance, seconds: int) -> tuple[float, float]:
        """What a second brings (connections, requests, or megabytes of bulk), and L7LB's CPU seconds for each."""
        before = one.cpu()
        url = f"http://{VIP}:{self.port}/{self.file}"
        if self.anew:
            count = seconds * _PER_SECOND
            command = ["ab", "-q", "-n", str(count), "-c", str(self.connections), url]
            amount, taken = _answered(one.laboratory.client.run(command))
            one.failed += count - amount
            rate = amount / taken
        else:
            options = ["-t1", f"-c{self.connections}", f"-d{seconds}", "--timeout", "10s", "-s", str(_SCRIPT)]
            output = WrkOutput.parsed(one.laboratory.client.run(["wrk", *options, url]))
            amount = output.octets // 1_000_000 if self.file == _LARGE_FILE else output.requests
            rate = amount / output.seconds
        return rate, (one.cpu() - before) / amount


_LARGE_FILE = "10M"
_PER_SECOND = 1000
"""Connections that ab makes for each second that a load is to take."""
LOADS = (
    Load("bulk, 8 connections of 10 MB", "MB/s", CONNECTION_PORT, 8, _LARGE_FILE, seen=False),
    Load("keep-alive, 32 connections of 100 B, `connection`", "requests/s", CONNECTION_PORT, 32, SMALL, seen=False),
    Load("keep-alive, 32 connections of 100 B, `request`", "requests/s", REQUEST_PORT, 32, SMALL),
    Load("new connections, 16 at a time, 100 B", "connections/s", CONNECTION_PORT, 16, SMALL, anew=True),
)


def _compare(empty: Instance, full: Instance, rounds: int, seconds: int, found: Findings) -> None:
    """The loads, full and empty in turn; their ratios are those within a round."""
    for load in LOADS:
        figures: list[tuple[tuple[float, float], tuple[float, float]]] = []
        for number in range(rounds):
            if number % 2:
                without, beside = load.run(empty, seconds), load.run(full, seconds)
            else:
                beside, without = load.run(full, seconds), load.run(empty, seconds)
            figures.append((without, beside))
        found.add(f"{load.name}: empty", statistics.median(without[0] for without, _ in figures), load.unit)
        found.add(f"{load.name}: full", statistics.median(beside[0] for _, beside in figures), load.unit)
        ratio = statistics.median(beside[0] / without[0] for without, beside in figures)
        found.add(f"{load.name}: full over empty", ratio, wanted=">= 0.95")
        if load.seen:
            cost = statistics.median(beside[1] / without[1] for without, beside in figures)
            found.add(f"{load.name}: CPU time for each, full over empty", cost, wanted="<= 1.05")


def _answered(output: str) -> tuple[int, float]:
    """How many connections of ab brought what they should, and in how many seconds; raises LaboratoryError."""
    told = dict(re.findall(r"^(Complete requests|Failed requests|Time taken for tests): +([\d.]+)", output, re.M))
    if len(told) < 3:
        raise LaboratoryError(f"ab did not come to its end:\n{output}")
    complete, failed, seconds = (float(told[name]) for name in _AB_LINES)
    return int(complete - failed), seconds


_AB_LINES = ("Complete requests", "Failed requests", "Time taken for tests")


if __name__ == "__main__":
    sys.exit(section.main(measure))
