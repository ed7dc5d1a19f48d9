"""What the run-time knows of a chip without any program."""

from __future__ import annotations

from dataclasses import dataclass

PORTS_PER_PIPE = 72


@dataclass(frozen=True, slots=True)
class Chip:
    """The constants of a chip, as tfN.dev.device_configuration tells them."""

    prefix: str
    stages: int
    pcie_cpu_port: int
    ethernet_cpu_ports: tuple[int, ...]
    recirculation_ports: tuple[int, ...]
    """Of one pipe."""


TOFINO = Chip("tf1", 12, 192, (64, 65, 66, 67), (68, 69, 70, 71))
TOFINO2 = Chip("tf2", 20, 0, (2, 3, 4, 5), (6, 7))


def is_port(port: int, pipes: int) -> bool:
    """Whether a chip with so many pipes has this device port (pipe << 7 | local port)."""
    return port >> 7 < pipes and port & 0x7F < PORTS_PER_PIPE
