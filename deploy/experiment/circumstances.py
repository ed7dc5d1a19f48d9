"""What a run was made with: parameters, versions, and what its numbers mean."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version

from deploy.experiment import load
from deploy.experiment.request import Request
from deploy.laboratory.namespace import sh

MEANING = {
    "no L7LB": "every TCP packet that the main namespace forwards between clients and servers, once, as it arrives",
    "with L7LB": "every TCP packet that crosses the interface between the fast path and the slow path's namespace, "
    "either way: one that goes in and comes out again counts twice",
    "offloads": "off everywhere, so that a packet is one of at most 1,500 bytes",
    "clients": "receive buffers of 256 KiB at most, retransmission timeouts of 1 s at least (RFC 6298)",
    "per connection": "over the connections that carried a request; retransmissions count",
}


def circumstances(request: Request) -> Mapping[str, Mapping[str, object]]:
    """By topic and name; asks the programs for their versions."""
    return {
        "parameters": {
            "fastpath": request.fastpath,
            "sizes_bytes": request.sizes,
            "clients": request.clients,
            "servers": request.servers,
            "requests_per_client": {
                str(size): request.kind.load(size, request.clients, request.requests).requests for size in request.sizes
            },
            "concurrency_per_client": request.kind.concurrency,
        },
        "counted": MEANING,
        "made_with": {
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "l7lb": version("l7lb"),
            "fast path": carrier(request),
            "machine": f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} processors",
            "python": platform.python_version(),
            "matplotlib": version("matplotlib"),
            "ab": _first_line(load.COMMAND, "-V"),
            "nginx": _first_line("nginx", "-v"),
        },
    }


def carrier(request: Request) -> str:
    """What forwards the packets, with its version where it is a program of its own."""
    kind = request.kind
    return f"{kind.carrier} {_first_line(*kind.version)}" if kind.version else kind.carrier


def _first_line(*command: str) -> str:
    """What a program says of its version, which some say on stderr."""
    return sh(["sh", "-c", '"$@" 2>&1', "sh", *command]).partition("\n")[0]
