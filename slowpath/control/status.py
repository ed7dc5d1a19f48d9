"""What a running instance says about itself: the values behind `l7lb status` and `l7lb connections`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class FastPathStatus:
    """The fast path: its kind, and how many of the splices it has room for are in use."""

    kind: str
    splices: int
    capacity: int


@dataclass(frozen=True, slots=True)
class ListenerStatus:
    """A listener; `connections_total` and `requests_total` count since the start."""

    name: str
    address: str
    connections_total: int
    requests_total: int = 0


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """A server of a pool; `connections` are open now, `why` is the last health check's error or empty.

    `rise` is how many good probes in a row it takes to come up again, 0 while it is up. `ejected` is why
    passive checks keep it out, or empty; `ejected_seconds` is for how long still, 0 while it is on trial.
    `listed` is False for one that the configuration has no more, and that only ends its connections.
    `configured_weight` is that of the configuration, which the operator's `weight` takes the place of;
    `configured_as` is the address or the name that it is there by. Bytes count since the start.
    `max_connections` is 0 where there is no limit.
    """

    address: str
    up: bool
    draining: bool
    weight: int
    connections: int
    why: str = ""
    rise: int = 0
    ejected: str = ""
    ejected_seconds: float = 0.0
    listed: bool = True
    configured_weight: int = 1
    configured_as: str = ""
    bytes_to_server: int = 0
    bytes_to_client: int = 0
    max_connections: int = 0


@dataclass(frozen=True, slots=True)
class ServerRow(ServerStatus):
    """A server with the name of its pool."""

    pool: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @staticmethod
    def list_from_json(value: object) -> list[ServerRow]:
        """Several from plain values; raises ValueError."""
        return TypeAdapter(list[ServerRow]).validate_python(value)


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """A pool and its servers, in the order of the configuration; `queued` connections wait for one with room."""

    name: str
    balance: str
    servers: tuple[ServerStatus, ...]
    queued: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """A snapshot of a running instance; `connections` are open now, spliced or not, and `resting` of them idle."""

    version: str
    uptime_seconds: float
    fastpath: FastPathStatus
    connections: int
    listeners: tuple[ListenerStatus, ...]
    pools: tuple[PoolStatus, ...]
    resting: int = 0

    def rows(self) -> list[ServerRow]:
        """The servers of all pools."""
        return [ServerRow(**asdict(server), pool=pool.name) for pool in self.pools for server in pool.servers]

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: object) -> Status:
        """From plain values; raises ValueError."""
        return TypeAdapter(cls).validate_python(value)


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """One open connection; `server` and `pool` are empty until a server has been picked."""

    client: str
    vip: str
    server: str
    pool: str
    state: str
    age_seconds: float

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ConnectionList:
    """The oldest of the `matching` connections that were asked for, in the order of their age."""

    matching: int
    rows: tuple[ConnectionRow, ...]

    @property
    def left_out(self) -> int:
        """How many are not in the list."""
        return max(self.matching - len(self.rows), 0)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: object) -> ConnectionList:
        """From plain values; raises ValueError."""
        return TypeAdapter(cls).validate_python(value)
