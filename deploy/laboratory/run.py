"""A running `l7lb run` in a laboratory."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any

import yaml

from deploy.laboratory.metrics import Metrics
from deploy.laboratory.namespace import LaboratoryError, Namespace, end, wait_until

CLI = (sys.executable, "-m", "slowpath.control.cli")
_READY_TIMEOUT = 20.0
_STOP_TIMEOUT = 40.0
"""More than the 30 seconds for which connections may go on by default (`timeouts.drain`)."""
_LOG_LINES = 20


def _servers(pool: dict[str, Any]) -> int:
    """How many servers a pool has for sure: a name, or a file, may stand for any number."""
    entries = [entry["address"] if isinstance(entry, dict) else entry for entry in pool.get("servers", ())]
    return sum(not entry[0].isalpha() for entry in entries)


def _resolving_by(resolver: Path | None) -> list[str]:
    """What runs a command with a resolv.conf of its own, in its place in a mount namespace."""
    if resolver is None:
        return []
    script = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", script, "resolving", str(resolver)]


class Run:
    """L7LB on the balancer's host, from `config`; it resolves names by the file `resolver` (resolv.conf(5))."""

    def __init__(self, host: Namespace, config: Path, log: Path, resolver: Path | None = None) -> None:
        document = yaml.safe_load(config.read_text())
        self.admin = Path(document["admin"])
        self.metrics_url = f"http://{document['metrics']}/metrics"
        self.log = log
        self._servers = sum(_servers(pool) for pool in document["pools"].values())
        self.host = host
        self._said_before = log.stat().st_size if log.exists() else 0
        self.process = host.popen([*_resolving_by(resolver), *CLI, "run", str(config)], log=log)

    def wait_until_ready(self) -> None:
        """Return once the admin socket answers and every server is up; raises LaboratoryError with the log's end."""
        try:
            wait_until(self._is_ready, _READY_TIMEOUT, "l7lb tells its status")
            wait_until(self._all_up, _READY_TIMEOUT, "every server is up")
        except LaboratoryError as error:
            raise LaboratoryError(f"{error}\n{self.log_tail()}") from None

    def servers_up(self, count: int) -> bool:
        """Whether exactly `count` servers, counted once per pool, are up."""
        return self.metrics().total("l7lb_server_up") == count

    def _all_up(self) -> bool:
        return self.metrics().total("l7lb_server_up") >= self._servers

    def status(self) -> dict[str, Any]:
        """What `l7lb status --json` prints."""
        status: dict[str, Any] = json.loads(self.cli("status", "--json", "--admin", str(self.admin)))
        return status

    def cli(self, *arguments: str) -> str:
        """Run the `l7lb` command on the balancer's host; returns its output."""
        return self.host.run([*CLI, *arguments])

    def exposition(self) -> str:
        """The metrics as Prometheus would scrape them."""
        return self.host.run(["curl", "-sSf", "-m", "5", self.metrics_url])

    def metrics(self) -> Metrics:
        """A snapshot of the metrics."""
        return Metrics(self.exposition())

    def log_tail(self) -> str:
        """The last lines of the log."""
        return "\n".join(self.log.read_text().splitlines()[-_LOG_LINES:])

    def said(self) -> str:
        """What this run has logged so far; the log is that of all runs."""
        with self.log.open() as log:
            log.seek(self._said_before)
            return log.read()

    def stop(self) -> int:
        """End L7LB as a service manager would; returns its exit status."""
        end(self.process, _STOP_TIMEOUT)
        return self.process.returncode

    def _is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise LaboratoryError(f"l7lb ended with exit status {self.process.returncode}")
        with socket.socket(socket.AF_UNIX) as admin:
            try:
                admin.connect(str(self.admin))
                admin.sendall(b'{"command": "status"}\n')
                with admin.makefile("rb") as replies:
                    return bool(json.loads(replies.readline())["ok"])
            except (OSError, ValueError):
                # Not there yet, or leaving in the middle: the next look at the process tells.
                return False
