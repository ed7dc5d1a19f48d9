"""The L7LB configuration of a laboratory: two special pools chosen by host and path, and one for everything else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from deploy.laboratory.server import PORT
from deploy.laboratory.topology import VIP

if TYPE_CHECKING:
    from deploy.laboratory.laboratory import Laboratory

METRICS = "127.0.0.1:9090"
_HEALTH = {"http": "/healthz", "interval": "500ms", "timeout": "250ms", "rise": 1, "fall": 2}


class _Plain(yaml.SafeDumper):
    """Writes a value that occurs twice out twice: L7LB takes no aliases."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def pool(*addresses: str, **changes: object) -> dict[str, Any]:
    """A pool of servers at `addresses`; `changes` replace its keys."""
    return {
        "balance": "round_robin",
        "health": _HEALTH,
        "servers": [f"{address}:{PORT}" for address in addresses],
    } | changes


def default(laboratory: Laboratory) -> dict[str, Any]:
    """The configuration as a document: images from the first server, the API from the second, the rest from all."""
    addresses = [server.address for server in laboratory.servers]
    return {
        "fastpath": {"kind": "ebpf", "interfaces": laboratory.interfaces, "name": laboratory.instance},
        "source": "transparent",
        "metrics": METRICS,
        "admin": str(laboratory.admin),
        "listeners": {
            "web": {
                "address": f"{VIP}:{PORT}",
                "protocol": "http",
                "routing": "connection",
                "routes": [
                    {"host": "img.example.com", "path": {"prefix": "/static/"}, "pool": "images"},
                    {"host": "*.example.com", "path": {"regex": "^/v[0-9]+/"}, "pool": "api"},
                ],
                "default": "web",
            }
        },
        "pools": {
            "images": pool(addresses[0]),
            "api": pool(addresses[1 % len(addresses)]),
            "web": pool(*addresses),
        },
    }


def write(laboratory: Laboratory, changes: dict[str, Any]) -> Path:
    """Write the default configuration with `changes` to its top-level keys; returns where."""
    path = laboratory.directory / "l7lb.yaml"
    path.write_text(yaml.dump(default(laboratory) | changes, Dumper=_Plain, sort_keys=False))
    return path
