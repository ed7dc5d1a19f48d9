"""The loads: what a client does for some seconds, and what is read from it."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, Self

from deploy.comparison import cpu, metric
from deploy.comparison.contenders import Stage
from deploy.comparison.idle import Idle
from deploy.comparison.metric import Metric
from deploy.comparison.open_loop import Latency
from deploy.laboratory import Laboratory
from deploy.laboratory.namespace import LaboratoryError

__all__ = ["Load", "loads"]

Figures = Mapping[Metric, float]
_WRK_SCRIPT = Path(__file__).with_name("wrk.lua")
_WRK = re.compile(r"^requests=(\d+) bytes=(\d+) microseconds=(\d+) errors=(\d+)$", re.M)
_AB = re.compile(r"^(Complete requests|Failed requests|Non-2xx responses|Time taken for tests): +([\d.]+)", re.M)
_BULK, _SMALL = "/10M", "/100B"
_GRACE = 60.0
"""Seconds that a client has beyond its own duration."""
_MOST_CONNECTIONS = 200_000
"""Of one run of ab, which keeps a line for each in memory."""
_IDLE, _IDLE_QUICK = 10_000, 2_000


class Load(Protocol):
    """One kind of work."""

    @property
    def name(self) -> str:
        """What `--only` knows it by."""

    @property
    def title(self) -> str:
        """What tables have above them."""

    def prepared(self, laboratory: Laboratory) -> Self:
        """The same with what has to be found out in the laboratory before any round."""

    def run(self, laboratory: Laboratory, stage: Stage) -> Figures:
        """Do it once; raises LaboratoryError unless every request is answered."""


@dataclass(frozen=True, slots=True)
class WrkOutput:
    """What wrk counted."""

    requests: int
    octets: int
    seconds: float

    @classmethod
    def parsed(cls, output: str) -> WrkOutput:
        """From what wrk.lua printed; raises LaboratoryError if requests failed."""
        found = _WRK.search(output)
        if not found or found[4] != "0" or found[1] == "0":
            raise LaboratoryError(f"wrk did not get every answer:\n{output}")
        return cls(int(found[1]), int(found[2]), int(found[3]) / 1e6)


@dataclass(frozen=True, slots=True)
class Wrk:
    """Keep-alive connections that ask again as soon as they are answered."""

    name: str
    title: str
    path: str
    connections: int
    seconds: int
    words: tuple[str, ...] = ()
    """For wrk.lua."""

    def prepared(self, laboratory: Laboratory) -> Self:
        """Nothing to find out."""
        return self

    def measure(self, laboratory: Laboratory, stage: Stage) -> tuple[WrkOutput, float]:
        """What wrk counted, and the CPU seconds of the machine meanwhile."""
        threads = max(1, len(os.sched_getaffinity(0)) // 2)
        options = [f"-t{threads}", f"-c{self.connections}", f"-d{self.seconds}", "--timeout", "10s"]
        command = ["wrk", *options, "-s", str(_WRK_SCRIPT), stage.url(self.path), "--", *self.words]
        with cpu.Meter() as meter:
            output = laboratory.client.run(command, timeout=self.seconds + _GRACE)
        return WrkOutput.parsed(output), meter.seconds


class Bulk(Wrk):
    """Large responses."""

    def run(self, laboratory: Laboratory, stage: Stage) -> Figures:
        """Throughput, and CPU time per byte."""
        output, busy = self.measure(laboratory, stage)
        return {
            metric.THROUGHPUT: output.octets / output.seconds / 1e6,
            metric.CPU_PER_GB: busy / output.octets * 1e9,
        }


class KeepAlive(Wrk):
    """Small responses."""

    def run(self, laboratory: Laboratory, stage: Stage) -> Figures:
        """Requests per second, and CPU time per request."""
        output, busy = self.measure(laboratory, stage)
        return {
            metric.REQUESTS: output.requests / output.seconds,
            metric.CPU_PER_REQUESTS: busy / output.requests * 1e3,
        }


class Strangers(Wrk):
    """A connection for each request, no two of which are the same."""

    def run(self, laboratory: Laboratory, stage: Stage) -> Figures:
        """Connections per second, and CPU time per connection."""
        output, busy = self.measure(laboratory, stage)
        return {
            metric.CONNECTIONS: output.requests / output.seconds,
            metric.CPU_PER_CONNECTIONS: busy / output.requests * 1e3,
        }


@dataclass(frozen=True, slots=True)
class Connections:
    """A connection for each request."""

    name: str
    title: str
    concurrency: int
    seconds: int

    def prepared(self, laboratory: Laboratory) -> Self:
        """Nothing to find out."""
        return self

    def run(self, laboratory: Laboratory, stage: Stage) -> Figures:
        """Connections per second, and CPU time per connection."""
        # -t implies -n 50000, so -n comes behind it.
        limits = ["-t", str(self.seconds), "-n", str(_MOST_CONNECTIONS), "-c", str(self.concurrency)]
        with cpu.Meter() as meter:
            output = laboratory.client.run(["ab", "-q", *limits, stage.url(_SMALL)], timeout=self.seconds + _GRACE)
        count, seconds = ab_output(output)
        return {metric.CONNECTIONS: count / seconds, metric.CPU_PER_CONNECTIONS: meter.seconds / count * 1e3}


def ab_output(output: str) -> tuple[int, float]:
    """Requests and seconds of a run of ab; raises LaboratoryError if requests failed."""
    figures = {name: float(value) for name, value in _AB.findall(output)}
    wrong = figures.get("Failed requests", 1) or figures.get("Non-2xx responses", 0)
    count = figures.get("Complete requests", 0)
    if wrong or not count:
        raise LaboratoryError(f"ab did not get every answer:\n{output}")
    return math.floor(count), figures["Time taken for tests"]


_KEEP_ALIVE = KeepAlive("keep-alive-32", "Keep-alive requests of 100 B on 32 connections", _SMALL, 32, 1)


@dataclass(frozen=True, slots=True)
class HalfRate(Latency):
    """Latency at half of the rate that direct routing reaches, the same rate for all."""

    def prepared(self, laboratory: Laboratory) -> Self:
        """With the rate, and the client compiled."""
        address, _, port = laboratory.servers[0].direct.rpartition(":")
        output, _ = replace(_KEEP_ALIVE, seconds=self.seconds).measure(laboratory, Stage(address, int(port), None))
        return replace(self, rate=output.requests / output.seconds / 2).compiled(laboratory)


def loads(seconds: int, *, quick: bool) -> Sequence[Load]:
    """All of them, each of `seconds` where it has a duration; `quick` holds fewer idle connections."""
    idle = _IDLE_QUICK if quick else _IDLE
    return (
        Bulk("bulk", "Bulk: 10 MB responses on 8 keep-alive connections", _BULK, 8, seconds),
        replace(_KEEP_ALIVE, seconds=seconds),
        KeepAlive("keep-alive-512", "Keep-alive requests of 100 B on 512 connections", _SMALL, 512, seconds),
        KeepAlive(
            "keep-alive-distinct",
            "Keep-alive requests of 100 B on 32 connections, each with a head of its own",
            *(_SMALL, 32, seconds, ("distinct",)),
        ),
        Connections("connections", "New connections, one request of 100 B each, 32 at a time", 32, seconds),
        Strangers(
            "connections-distinct",
            "New connections, 32 at a time, each request with a head of its own",
            *(_SMALL, 32, seconds, ("distinct", "close")),
        ),
        HalfRate("latency", "Latency of 100 B on 32 connections at half of the direct rate", _SMALL, 32, seconds),
        Idle("idle", f"Memory of each of {idle:,} idle connections", _SMALL, idle),
    )
