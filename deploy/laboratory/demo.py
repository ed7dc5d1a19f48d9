"""`l7lb demo`: the main job in a laboratory, with what each path carried."""

from __future__ import annotations

import contextlib
import re
import time
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.laboratory.command import carry_out
from deploy.laboratory.content import SIZES
from deploy.laboratory.laboratory import Laboratory
from deploy.laboratory.namespace import wait_until
from deploy.laboratory.run import Run
from deploy.laboratory.topology import VIP

_REQUESTS = (
    ("img.example.com", "/static/10k", "images"),
    ("api.example.com", "/v1/1k", "api"),
    ("img.example.com", "/1k", "web"),
    ("www.example.org", "/static/10k", "web"),
)
_REPEATS = 8
_HEALTH = {"http": "/healthz", "interval": "60s", "timeout": "1s", "rise": 1, "fall": 1}
"""So rarely that the packets of a transfer are its own."""
_AB_LINES = re.compile(
    r"^(Complete requests|Failed requests|Non-2xx responses|Requests per second|  (?:50|99)%).*", re.M
)


_LARGEST_SEGMENT = 1460
"""Bytes that a packet carries at most."""
_COUNTED = 60.0

_SIZES = ("1k", "100k", "1M", "10M", "100M")


@dataclass(frozen=True, slots=True)
class _Load:
    """What a fast path can carry while somebody waits: rounds of transfers, and the requests and concurrency of ab.

    Its counters are `staleness` seconds old at most, unless it is too busy to be asked for them.
    """

    rounds: int
    requests: int
    concurrency: int
    staleness: float = 0.0
    remark: str = ""

    @property
    def ab(self) -> list[str]:
        """The command without its URL."""
        return ["ab", "-q", "-n", str(self.requests), "-c", str(self.concurrency)]


_SOFTWARE = "{}: times and rates are its own, not a hardware switch's."
_INTERPRETED = _Load(
    rounds=2,
    requests=2000,
    concurrency=64,
    staleness=1.5,
    remark=_SOFTWARE.format("p4model interprets the switch's program packet by packet"),
)
LOADS = {
    "ebpf": _Load(rounds=3, requests=5000, concurrency=64),
    "model": _INTERPRETED,
    "v1model": _INTERPRETED,
    "bmv2": replace(_INTERPRETED, remark=_SOFTWARE.format("bmv2 is a switch in software")),
}


@dataclass(frozen=True, slots=True)
class _Transfer:
    size: str
    slow: int
    fast: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Results:
    demanded: _Load
    answers: list[Counter[str]]
    transfers: list[_Transfer]
    load: str

    @property
    def failures(self) -> list[str]:
        """What the demonstration was meant to show and did not."""
        found = []
        if self.transfers[-1].slow > self.transfers[0].slow:
            found.append("the slow path carried more packets for a larger response")
        if not re.search(r"^Failed requests:\s+0$", self.load, re.M) or "Non-2xx" in self.load:
            found.append("ab saw failed requests")
        return found


def main(fastpath: str = "ebpf", *, keep: bool = False) -> int:
    """Run the demonstration on one of `laboratory.FASTPATHS`; returns the exit status.

    With `keep` the laboratory stays until Ctrl-C.
    """
    return carry_out("l7lb demo", partial(_demonstrate, fastpath, keep=keep))


def _demonstrate(fastpath: str, *, keep: bool) -> int:
    console = Console()
    with Laboratory(fastpath=fastpath) as laboratory:
        results, run = _measure(laboratory, LOADS[fastpath], Console(stderr=True))
        _report(console, results)
        if keep:
            _hold(console, laboratory, run)
    return 1 if results.failures else 0


def _measure(laboratory: Laboratory, load: _Load, console: Console) -> tuple[_Results, Run]:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting l7lb", total=2 + len(_REQUESTS) + len(_SIZES))
        pools = {name: made | {"health": _HEALTH} for name, made in laboratory.default_config()["pools"].items()}
        run = laboratory.run(laboratory.config(pools=pools))
        answers = []
        for host, path, _ in _REQUESTS:
            progress.update(task, advance=1, description=f"{host}{path}")
            answers.append(Counter(_answerer(laboratory, host, path) for _ in range(_REPEATS)))
        transfers = []
        time.sleep(load.staleness)
        for size in _SIZES:
            progress.update(task, advance=1, description=f"a response of {size}B")
            rounds = [_transfer(laboratory, run, load, size) for _ in range(load.rounds)]
            transfers.append(min(rounds, key=lambda transfer: transfer.slow))
        progress.update(task, advance=1, description=" ".join(load.ab))
        output = laboratory.client.run([*load.ab, f"http://{VIP}/1k"])
        progress.update(task, advance=1)
    return _Results(load, answers, transfers, output), run


def _answerer(laboratory: Laboratory, host: str, path: str) -> str:
    headers = laboratory.client.run(
        ["curl", "-sS", "-m", "5", "-o", "/dev/null", "-D", "-", "-H", f"Host: {host}", f"http://{VIP}{path}"]
    )
    found = re.search(r"^X-Server: (\S+)", headers, re.M)
    return found[1] if found else headers.partition("\n")[0].strip()


def _transfer(laboratory: Laboratory, run: Run, load: _Load, size: str) -> _Transfer:
    """One download in a connection of its own. A retransmission adds packets now and then: take the best of some."""
    before = run.metrics()
    seconds = laboratory.client.run(
        ["curl", "-sSf", "-m", "30", "-o", "/dev/null", "-w", "%{time_total}", f"http://{VIP}/{size}"]
    )
    least = before.fast_packets + SIZES[size] // _LARGEST_SEGMENT
    wait_until(lambda: run.metrics().fast_packets >= least, _COUNTED, "the packets of the fast path are counted")
    time.sleep(load.staleness)
    after = run.metrics()
    return _Transfer(
        size, after.slow_packets - before.slow_packets, after.fast_packets - before.fast_packets, float(seconds)
    )


def _report(console: Console, results: _Results) -> None:
    who = Table("request", "pool", "answered by", title="Who answered")
    who.columns[0].no_wrap = True
    for (host, path, pool), servers in zip(_REQUESTS, results.answers, strict=True):
        who.add_row(f"{host}{path}", pool, ", ".join(f"{name} x{count}" for name, count in sorted(servers.items())))
    console.print(who)

    packets = Table("response", "slow path", "fast path", "seconds", title="Packets by path, one connection each")
    for column in packets.columns:
        column.justify = "right"
    for row in results.transfers:
        packets.add_row(f"{row.size}B", str(row.slow), str(row.fast), f"{row.seconds:.3f}")
    console.print(packets)

    console.print(f"{' '.join(results.demanded.ab)}, times in ms:", highlight=False)
    console.print("\n".join(match[0] for match in _AB_LINES.finditer(results.load)), highlight=False)
    if results.demanded.remark:
        console.print(results.demanded.remark, style="yellow", highlight=False)
    for failure in results.failures:
        console.print(f"FAILED: {failure}", style="bold red")
    if not results.failures:
        console.print("The slow path's packets do not grow with the response; no request failed.", style="green")


def _hold(console: Console, laboratory: Laboratory, run: Run) -> None:
    console.print(f"\nThe laboratory stays until Ctrl-C; the log is {run.log}. Enter it from another terminal:")
    for name, namespace in (("client", laboratory.client), ("balancer", laboratory.balancer)):
        console.print(f"  {name:9} {' '.join(namespace.command(['bash']))}", highlight=False, soft_wrap=True)
    for server in laboratory.servers:
        command = " ".join(server.namespace.command(["bash"]))
        console.print(f"  {server.name:9} {command}", highlight=False, soft_wrap=True)
    console.print(f"  status    l7lb status --admin {run.admin}", highlight=False, soft_wrap=True)
    with contextlib.suppress(KeyboardInterrupt):
        run.process.wait()
