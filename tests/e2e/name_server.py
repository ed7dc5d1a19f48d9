"""A name server that answers what a test says, at an address of the balancer's host alone."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.laboratory.namespace import Namespace, end

_ADDRESS = "127.0.0.1"


class NameServer:
    """dnsmasq; `resolver` is the resolv.conf of those who ask it."""

    def __init__(self, namespace: Namespace, directory: Path) -> None:
        self.resolver = directory / "resolv.conf"
        self._hosts, self._log = directory / "hosts", directory / "dnsmasq.log"
        self._namespace = namespace
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.resolver.write_text(f"nameserver {_ADDRESS}\noptions timeout:1 attempts:1\n")
        self._hosts.touch()
        options = ("keep-in-foreground", "conf-file=/dev/null", "no-resolv", "no-hosts", "bind-interfaces", "user=root")
        argv = ["dnsmasq", *(f"--{option}" for option in options), "--pid-file", "--log-facility=-"]
        argv += [f"--addn-hosts={self._hosts}", f"--listen-address={_ADDRESS}"]
        self._process = self._namespace.popen(argv, log=self._log)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._process is not None
        end(self._process)

    def answer(self, names: Mapping[str, Sequence[str]]) -> None:
        """Know these addresses by name from now on, and nothing else."""
        assert self._process is not None
        self._hosts.write_text("".join(f"{address} {name}\n" for name, listed in names.items() for address in listed))
        self._process.send_signal(signal.SIGHUP)
