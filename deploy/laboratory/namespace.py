"""A network namespace and the processes in it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO

_HOLD_OFF = 5.0
"""Seconds that a process has to end after SIGTERM before it gets SIGKILL."""


class LaboratoryError(Exception):
    """The laboratory could not do what was asked; the message says what and why."""


def sh(argv: Sequence[str], *, stdin: str | None = None, timeout: float = 60.0, check: bool = True) -> str:
    """Run a command to its end and return its output; raises LaboratoryError if it fails or takes too long."""
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=timeout, check=False)
    except FileNotFoundError:
        raise LaboratoryError(f"{argv[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise LaboratoryError(f"{' '.join(argv)}: not done after {timeout:g} s") from None
    if check and done.returncode:
        detail = (done.stderr or done.stdout).strip()
        raise LaboratoryError(f"{' '.join(argv)}: exit status {done.returncode}: {detail}")
    return done.stdout


def end(process: subprocess.Popen[str], patience: float = _HOLD_OFF) -> None:
    """End a process: SIGTERM, after `patience` seconds SIGKILL; returns once it has gone."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(condition: Callable[[], bool], timeout: float, what: str, interval: float = 0.02) -> None:
    """Ask until `condition` holds; raises LaboratoryError naming `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise LaboratoryError(f"{what}: not within {timeout:g} s")
        time.sleep(interval)


class Namespace:
    """A named network namespace. Only the network is its own: files, bpffs and processes are the machine's."""

    def __init__(self, name: str) -> None:
        self.name = name

    def command(self, argv: Iterable[str]) -> list[str]:
        """The command line that runs `argv` in here.

        Not `ip netns exec`, which mounts a /sys of its own and so hides what is pinned in the bpffs.
        """
        return ["nsenter", f"--net=/run/netns/{self.name}", "--", *argv]

    def run(self, argv: Sequence[str], *, stdin: str | None = None, timeout: float = 60.0, check: bool = True) -> str:
        """Run a command in here to its end and return its output; raises LaboratoryError as `sh` does."""
        return sh(self.command(argv), stdin=stdin, timeout=timeout, check=check)

    def succeeds(self, argv: Sequence[str]) -> bool:
        """Run a command in here to its end; whether its exit status is 0."""
        return subprocess.run(self.command(argv), capture_output=True, check=False).returncode == 0

    def popen(
        self, argv: Sequence[str], *, log: Path | None = None, cwd: Path | None = None, pipe: bool = False
    ) -> subprocess.Popen[str]:
        """Start a command in here, out of reach of the terminal's Ctrl-C.

        What it says on stderr, and on stdout unless `pipe`, is appended to `log`, or lost. With
        `pipe` stdin and stdout are pipes.
        """
        sink: IO[str] | int = log.open("a") if log else subprocess.DEVNULL
        try:
            return subprocess.Popen(
                self.command(argv),
                stdin=subprocess.PIPE if pipe else subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipe else sink,
                stderr=sink,
                cwd=cwd,
                text=True,
                start_new_session=True,
            )
        finally:
            if not isinstance(sink, int):
                sink.close()

    def ip(self, lines: Iterable[str]) -> None:
        """Run `ip -batch` lines in here."""
        sh(["ip", "-n", self.name, "-batch", "-"], stdin="\n".join(lines) + "\n")

    def sysctl(self, *assignments: str) -> None:
        """Assign `name=value` settings of the network in here."""
        if assignments:
            self.run(["sysctl", "-qw", *assignments])

    def counter(self, name: str) -> int:
        """A counter of this network stack since it was made, such as TcpExtTCPTimeouts (nstat's names)."""
        fields = self.run(["nstat", "-asz", name]).split()
        return int(fields[fields.index(name) + 1])
