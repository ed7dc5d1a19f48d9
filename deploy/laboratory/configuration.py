"""The L7LB configuration of a laboratory: two special pools chosen by host and path, and one for everything else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from deploy.laboratory.server import PORT
from deploy.laboratory.switch import CPU_INTERFACE
from deploy.laboratory.topology import BALANCER, VIP, Link

METRICS = "127.0.0.1:9090"
_HEALTH = {"http": "/healthz", "interval": "500ms", "timeout": "250ms", "rise": 1, "fall": 2}


class _Plain(yaml.SafeDumper):
    """Writes a value that occurs twice out twice: L7LB takes no aliases."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def endpoint(address: str, port: int = PORT) -> str:
    """ADDRESS:PORT as it is written."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def pool(*addresses: str, **changes: object) -> dict[str, Any]:
    """A pool of servers at `addresses`, of either IP version; `changes` replace its keys."""
    return {
        "balance": "round_robin",
        "health": _HEALTH,
        "servers": [endpoint(address) for address in addresses],
    } | changes


def ebpf(interfaces: Sequence[str], instance: str) -> dict[str, Any]:
    """The fast path of a balancer that is a host."""
    return {"kind": "ebpf", "interfaces": list(interfaces), "name": instance}


def switch(control_plane: dict[str, object], cables: Sequence[Link]) -> dict[str, Any]:
    """The fast path of a balancer that is a switch: its ports, and the tunnels to the servers that have one."""
    arms = [link for link in cables if link.host == BALANCER]
    return control_plane | {
        "cpu_interface": CPU_INTERFACE,
        "ports": {number: {"address": list(link.addresses)} for number, link in enumerate(arms)},
        "routes": [link.tunnel.route for link in cables if link.tunnel],
    }


def default(servers: Sequence[str], fastpath: dict[str, Any], admin: Path) -> dict[str, Any]:
    """The configuration as a document: images from the first server, the API from the second, the rest from all."""
    return {
        "fastpath": fastpath,
        "source": "transparent",
        "metrics": METRICS,
        "admin": str(admin),
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
            "images": pool(servers[0]),
            "api": pool(servers[1 % len(servers)]),
            "web": pool(*servers),
        },
    }


def write(path: Path, document: dict[str, Any]) -> None:
    """Write a configuration to `path`."""
    path.write_text(yaml.dump(document, Dumper=_Plain, sort_keys=False))
