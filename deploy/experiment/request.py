"""What the experiment is asked to do, checked before anything is built."""

from __future__ import annotations

import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from deploy.experiment import load, size
from deploy.experiment.kinds import KINDS, Kind
from deploy.laboratory import topology
from deploy.laboratory.namespace import LaboratoryError
from deploy.laboratory.switches import SWITCHES

_DEFAULT_SIZES = "1k,3k,10k,30k,100k,300k,1M,3M,10M"
MOST_REQUESTS = 2_000
"""Of one client and size: its ephemeral ports do not come round before L7LB has forgotten the connections on them."""
_PROGRAMS = (load.COMMAND, "nginx")


class UsageError(Exception):
    """The experiment was asked for in a wrong way; the message says what is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Request:
    """The parameters of one run."""

    fastpath: str
    output: Path
    sizes: tuple[int, ...]
    """Bytes, ascending."""
    clients: int
    servers: int
    requests: int | None
    """Of each client and size; None for as many as the fast path carries in a few seconds."""

    @classmethod
    def checked(
        cls, fastpath: str, output: Path, *, sizes: str | None, clients: int, servers: int, requests: int | None
    ) -> Request:
        """From the command line's values; None is the default. Raises UsageError."""
        if fastpath not in KINDS:
            raise UsageError(f"there is no fast path {fastpath}: choose one of {', '.join(KINDS)}")
        try:
            octets = size.parse(sizes or _DEFAULT_SIZES)
            topology.links(servers, arms=2, clients=clients)
        except ValueError as error:
            raise UsageError(str(error)) from None
        if len(octets) < 2:
            raise UsageError(f"--sizes {sizes} is one size: whether packets grow takes two or more to see")
        if requests is not None and not 1 <= requests <= MOST_REQUESTS:
            raise UsageError(f"--requests is 1 to {MOST_REQUESTS} for each client, not {requests}")
        return cls(fastpath, output, octets, clients, servers, requests)

    @property
    def kind(self) -> Kind:
        """The fast path's own limits."""
        return KINDS[self.fastpath]

    def prepare(self) -> None:
        """Make sure that the run can start and its results be written; raises LaboratoryError if they cannot."""
        if importlib.util.find_spec("matplotlib") is None:
            raise LaboratoryError("the plot needs matplotlib: pip install 'l7lb[experiment]'")
        if os.geteuid() != 0:
            raise LaboratoryError("a laboratory makes network namespaces: run it as root")
        missing = [program for program in _PROGRAMS if shutil.which(program) is None]
        if self.fastpath in SWITCHES:
            missing += SWITCHES[self.fastpath].missing()
        if missing:
            raise LaboratoryError(f"not on PATH: {', '.join(missing)}; docs/experiment.md says where to get them")
        try:
            self.output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LaboratoryError(f"cannot write results to {self.output}: {error.strerror}") from None
        if not os.access(self.output, os.W_OK | os.X_OK):
            raise LaboratoryError(f"cannot write results to {self.output}: no permission")
