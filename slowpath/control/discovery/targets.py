"""From what a pool lists to addresses: a server for each address of each name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple, TypeAlias

from slowpath.control.config import ServerConfig, ServerName
from slowpath.wire.endpoint import Endpoint

Admission: TypeAlias = Callable[[Endpoint], None]
"""Raises ValueError if no server can be at an address."""

Answers: TypeAlias = Mapping[ServerName, Sequence[Endpoint]]
"""The addresses that names have."""


class Target(NamedTuple):
    """A server of a pool at its address, and what its pool says of it."""

    endpoint: Endpoint
    server: ServerConfig


Targets: TypeAlias = Mapping[str, Sequence[Target]]
"""The servers of pools, by the name of the pool."""


def names(servers: Iterable[ServerConfig]) -> list[ServerName]:
    """The names among the addresses."""
    return [server.address for server in servers if isinstance(server.address, ServerName)]


def expand(servers: Iterable[ServerConfig], answers: Answers, admit: Admission) -> tuple[Target, ...]:
    """Each address once, for the first that lists it; of a name those that are admitted, none without an answer."""
    targets: dict[Endpoint, Target] = {}
    for server in servers:
        address = server.address
        for endpoint in _admitted(answers.get(address, ()), admit) if isinstance(address, ServerName) else (address,):
            targets.setdefault(endpoint, Target(endpoint, server))
    return tuple(targets.values())


def _admitted(endpoints: Iterable[Endpoint], admit: Admission) -> Iterator[Endpoint]:
    for endpoint in endpoints:
        with suppress(ValueError):
            admit(endpoint)
            yield endpoint
