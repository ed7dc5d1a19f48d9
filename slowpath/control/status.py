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
    """A listener; `connections_total` counts since the start."""

    name: str
    address: str
    connections_total: int


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """A server of a pool; `connections` are open now, `why` is the last health check's error or empty."""

    address: str
    up: bool
    draining: bool
    weight: int
    connections: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """A pool and its servers, in the order of the configuration."""

    name: str
    balance: str
    servers: tuple[ServerStatus, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """A snapshot of a running instance; `connections` are open now, spliced or not."""

    version: str
    uptime_seconds: float
    fastpath: FastPathStatus
    connections: int
    listeners: tuple[ListenerStatus, ...]
    pools: tuple[PoolStatus, ...]

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

    @staticmethod
    def list_from_json(value: object) -> list[ConnectionRow]:
        """Several from plain values; raises ValueError."""
        return TypeAdapter(list[ConnectionRow]).validate_python(value)
