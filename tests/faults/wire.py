"""Makes ports of a laboratory's switches bad wires, with `faults.bpf.c`.

Loaded with bpftool and tc, so that what injects faults shares nothing with what is under test.
"""

from __future__ import annotations

import json
import shutil
import struct
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.laboratory import Namespace
from deploy.laboratory.namespace import sh

_SOURCE = Path(__file__).with_name("faults.bpf.c")
_RULE, _TALLY, _SETUP, _KEY = struct.Struct("=4I"), struct.Struct("=5Q"), struct.Struct("=QII"), struct.Struct("=I")
_DETOUR = (
    "link add detour0 type veth peer name detour1",
    "link set detour0 up",
    "link set detour1 up",
)
# Every packet counts as a full one, so the second of two waits 0.3 ms: dozens of packets of a bulk transfer.
_SLOW = "tbf rate 40mbit burst 1600 mpu 1514 latency 20ms"


@dataclass(frozen=True, slots=True)
class Tally:
    """What happened at a port so far, in packets."""

    packets: int
    lost: int
    duplicated: int
    reordered: int
    corrupted: int


class BadWire:
    """Faults at the ingress of switch ports; `pins` is a directory of a bpffs, made here and removed by `close`."""

    def __init__(self, fabric: Namespace, build: Path, pins: Path, seed: int) -> None:
        self._fabric = fabric
        self._pins = pins
        self._ports: set[str] = set()
        program = build / "faults.o"
        include = f"/usr/include/{sysconfig.get_config_var('MULTIARCH')}"
        sh(["clang", "-O2", "-g", "-Wall", "-target", "bpf", "-I", include, "-c", str(_SOURCE), "-o", str(program)])
        sh(["bpftool", "prog", "loadall", str(program), str(pins), "pinmaps", str(pins / "maps")])
        fabric.ip(_DETOUR)
        fabric.run(["tc", "qdisc", "add", "dev", "detour0", "root", *_SLOW.split()])
        self._attach("detour1", "comeback")
        self._update("setups", 0, _SETUP.pack(seed, self._index("detour0"), 0))

    def set(
        self, port: str, *, lose: float = 0.0, duplicate: float = 0.0, reorder: float = 0.0, corrupt: float = 0.0
    ) -> None:
        """Give what enters the switch at `port` these chances of faults, 0..1, and reset the tally."""
        index = self._index(port)
        chances = (min(int(chance * 2**32), 2**32 - 1) for chance in (lose, duplicate, reorder, corrupt))
        self._update("rules", index, _RULE.pack(*chances))
        self._update("tallies", index, bytes(_TALLY.size))
        if port not in self._ports:
            self._attach(port, "wire")
            self._ports.add(port)

    def tally(self, port: str) -> Tally:
        """What happened at `port` since it was set."""
        value: dict[str, Any] = json.loads(
            sh(["bpftool", "-j", "map", "lookup", "pinned", str(self._map("tallies")), *self._key(self._index(port))])
        )
        return Tally(*_TALLY.unpack(bytes(int(byte, 16) for byte in value["value"])))

    def close(self) -> None:
        """Make every port a good wire again."""
        for port in self._ports:
            self._fabric.run(["tc", "qdisc", "delete", "dev", port, "clsact"])
        self._fabric.ip(["link delete detour0"])
        shutil.rmtree(self._pins)

    def _attach(self, interface: str, program: str) -> None:
        self._fabric.run(["tc", "qdisc", "add", "dev", interface, "clsact"])
        pinned = str(self._pins / program)
        self._fabric.run(["tc", "filter", "add", "dev", interface, "ingress", "bpf", "da", "object-pinned", pinned])

    def _update(self, name: str, key: int, value: bytes) -> None:
        words = [f"{byte:#04x}" for byte in value]
        sh(["bpftool", "map", "update", "pinned", str(self._map(name)), *self._key(key), "value", *words])

    def _map(self, name: str) -> Path:
        return self._pins / "maps" / name

    def _index(self, interface: str) -> int:
        links: list[dict[str, int]] = json.loads(self._fabric.run(["ip", "-j", "link", "show", interface]))
        return links[0]["ifindex"]

    @staticmethod
    def _key(key: int) -> list[str]:
        return ["key", *(f"{byte:#04x}" for byte in _KEY.pack(key))]
