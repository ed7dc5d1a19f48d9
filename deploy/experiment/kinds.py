"""The fast paths that the experiment runs on, and how much each is asked to carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.experiment.load import Load


@dataclass(frozen=True, slots=True)
class Kind:
    """A fast path; `connections` and `octets` are what all clients together ask for, at most, for each size.

    At least one request of each client is made, however large.
    """

    carrier: str
    """What forwards the packets."""
    connections: int
    octets: int
    concurrency: int
    version: Sequence[str] = ()
    """The command that prints the carrier's version, if it is a program of its own."""

    def load(self, size: int, clients: int, requests: int | None) -> Load:
        """What each of `clients` asks for at `size`; `requests` of each instead of as many as fit."""
        fitting = min(self.connections, self.octets // size) // clients
        return Load(requests or max(1, fitting), self.concurrency)


KINDS = {
    "bmv2": Kind("bmv2's simple_switch_grpc", 400, 80_000_000, 1, ("simple_switch_grpc", "--version")),
    "model": Kind("p4model with the TNA program", 400, 80_000_000, 1),
    "v1model": Kind("p4model with the v1model program", 400, 80_000_000, 1),
    "ebpf": Kind("the tc program in this machine's kernel", 1000, 400_000_000, 8),
}
