"""ApacheBench: one instance for each client, all at the same time."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.laboratory.client import Client
from deploy.laboratory.namespace import LaboratoryError, end, wait_until

COMMAND = "ab"
_SOCKET_TIMEOUT, _TIMEOUT = 60, 240.0
"""Seconds that one socket may be silent, and that all may take together."""
_FIGURES = re.compile(r"^(Complete requests|Failed requests|Non-2xx responses|Document Length): +(\d+)", re.M)


@dataclass(frozen=True, slots=True)
class Load:
    """What each client asks for: `requests` of one response, each in a connection of its own."""

    requests: int
    concurrency: int
    """Connections that one client has open at a time."""

    def run(self, clients: Sequence[Client], urls: Sequence[str], octets: int, logs: Path) -> float:
        """Have each client ask for its URL, whose response has a body of `octets`; returns the seconds it took.

        Raises LaboratoryError unless every request is answered with that.
        """
        started = time.monotonic()
        outputs = [logs / f"ab-{client.name}.log" for client in clients]
        processes = []
        try:
            for client, url, output in zip(clients, urls, outputs, strict=True):
                output.unlink(missing_ok=True)
                processes.append(client.popen(self._command(url), log=output))
            wait_until(lambda: all(process.poll() is not None for process in processes), _TIMEOUT, f"{COMMAND} ends")
        finally:
            for process in processes:
                end(process)
        seconds = time.monotonic() - started
        for output in outputs:
            self._check(output.read_text(), octets)
        return seconds

    def _command(self, url: str) -> list[str]:
        limits = ("-n", str(self.requests), "-c", str(min(self.concurrency, self.requests)))
        return [COMMAND, "-q", *limits, "-s", str(_SOCKET_TIMEOUT), url]

    def _check(self, output: str, octets: int) -> None:
        figures = {name: int(value) for name, value in _FIGURES.findall(output)}
        wanted = {"Complete requests": self.requests, "Failed requests": 0, "Document Length": octets}
        if figures != wanted:
            asked = f"{self.requests} requests of {octets} bytes"
            raise LaboratoryError(f"not all of {asked} were answered as they should be; {COMMAND} says:\n{output}")
