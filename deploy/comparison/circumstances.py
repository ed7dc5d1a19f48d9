"""What a run was made on and with, as text by name."""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from deploy.comparison import cpu, memory
from deploy.comparison.proxies import PROXIES
from deploy.laboratory.namespace import sh
from slowpath.splicing import splicer

_LOOK = 1.0
"""Seconds for which the machine is watched before anything runs."""
_GIB = 1 << 30


def circumstances(rounds: int, seconds: int) -> Mapping[str, str]:
    """The machine, the versions, and the size of the run; takes a second."""
    cpus = os.sched_getaffinity(0)
    compiled = Path(splicer.__file__).suffix != ".py"
    return {
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "machine": f"{_processor()}, {len(cpus)} of {os.cpu_count()} CPUs for everyone, {_memory()} GiB",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "busy with other work before": f"{_others():.0%} of these CPUs",
        "rounds": f"{rounds}, each sample of {seconds} s",
        "l7lb": f"{version('l7lb')}, Python {platform.python_version()}, its hot modules "
        f"{'compiled' if compiled else 'interpreted'}",
        **_proxies(),
        "clients": f"wrk {_first(r'[0-9.]{3,}', 'wrk', '-v')}, ab {_first(r'[0-9.]{3,}', 'ab', '-V')}, "
        "and an open loop of ours",
    }


def _proxies() -> dict[str, str]:
    """The versions of what is installed, and that the rest is not."""
    return {
        proxy.program_name: _first(proxy.version.pattern, proxy.program, proxy.version_option)
        if proxy.program
        else "not installed, so not compared"
        for proxy in PROXIES
    }


def _first(pattern: str, *command: str) -> str:
    """What matches in what a program says of itself, which some say on stderr, and with an error."""
    output = sh(["sh", "-c", '"$@" 2>&1', "sh", *command], check=False)
    found = re.search(pattern, output)
    return found[found.re.groups] if found else output.partition("\n")[0]


def _others() -> float:
    with cpu.Meter() as meter:
        time.sleep(_LOOK)
    return meter.seconds / _LOOK / len(os.sched_getaffinity(0))


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    return found[1] if found else platform.machine()


def _memory() -> str:
    total = memory.field(Path("/proc/meminfo").read_text(), "MemTotal") * 1024
    return f"{total / _GIB:.0f}"
