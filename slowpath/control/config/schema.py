"""The configuration as a whole (design section 7); docs/configuration.md explains each key."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from pydantic import (
    BeforeValidator,
    Field,
    PlainValidator,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from slowpath.control.config.access_log import AccessLogSection
from slowpath.control.config.context import ACROSS_VERSIONS, Context
from slowpath.control.config.fastpath import FastPathSection
from slowpath.control.config.listeners import ListenerConfig
from slowpath.control.config.pools import PoolConfig
from slowpath.control.config.problems import KeyPath
from slowpath.control.config.section import Section, mistakes
from slowpath.control.config.values import AnyEndpoint, Duration, IpNetwork, Name, SnatNetworks
from slowpath.http.head import DEFAULT_HEADER_COUNT, DEFAULT_LIMIT, DEFAULT_TARGET_LIMIT
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.ip import family_of

DEFAULT_ADMIN = Path("/run/l7lb.sock")

_MAX_SOCKET_PATH = 107  # sun_path of unix(7), without its terminating zero


class SnatConfig(Section):
    """The addresses that connections to servers come from."""

    snat: SnatNetworks

    @field_validator("snat")
    @classmethod
    def _forwarded(cls, snat: tuple[IpNetwork, ...], info: ValidationInfo) -> tuple[IpNetwork, ...]:
        for network in snat:
            Context.of(info).require_forwarded(network.version, network)
        Context.of(info).snat = frozenset(network.version for network in snat)
        return snat

    @field_validator("snat")
    @classmethod
    def _not_a_ports_own(cls, snat: tuple[IpNetwork, ...], info: ValidationInfo) -> tuple[IpNetwork, ...]:
        switch = Context.of(info).network
        for port in switch.ports if switch is not None else ():
            for packed, _ in port.addresses:
                own = ip_address(packed)
                if any(own in network for network in snat):
                    raise ValueError(
                        f"{own} is the address of port {port.number}: nothing else may use an address of snat"
                    )
        return snat


class TimeoutsConfig(Section):
    """How long the balancer waits, in seconds."""

    connect: Duration = 1.0
    request_head: Duration = 10.0
    answer: Duration = 5.0
    keep_alive: Duration = 15.0
    idle: Duration = 600.0
    linger: Duration = 2.0
    drain: Duration = 30.0


class LimitsConfig(Section):
    """How much one client may ask for."""

    head_bytes: Annotated[int, Field(strict=True, ge=1024, le=65536)] = DEFAULT_LIMIT
    header_count: Annotated[int, Field(strict=True, ge=10, le=1000)] = DEFAULT_HEADER_COUNT
    target_bytes: Annotated[int, Field(strict=True, ge=256, le=65536)] = DEFAULT_TARGET_LIMIT


def _source(value: object) -> object:
    if value == "transparent":
        return None
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is neither transparent nor {{snat: [ADDRESS, ...]}}")
    return value


def _socket_path(value: object) -> Path:
    if not isinstance(value, str) or not value.startswith("/") or len(value.encode()) > _MAX_SOCKET_PATH:
        raise ValueError(f"{value!r} is not an absolute path of at most {_MAX_SOCKET_PATH} bytes")
    return Path(value)


class Config(Section):
    """A whole configuration; `source` is None for transparent mode, `metrics` None for no exporter."""

    fastpath: FastPathSection
    source: Annotated[SnatConfig | None, BeforeValidator(_source)] = None
    metrics: AnyEndpoint | None = None
    admin: Annotated[Path, PlainValidator(_socket_path)] = DEFAULT_ADMIN
    timeouts: TimeoutsConfig = TimeoutsConfig()
    limits: LimitsConfig = LimitsConfig()
    access_log: AccessLogSection | None = None
    listeners: Annotated[dict[Name, ListenerConfig], Field(min_length=1)]
    pools: Annotated[dict[Name, PoolConfig], Field(min_length=1)]

    _context: Context = PrivateAttr()

    @model_validator(mode="after")
    def _servers_can_see_clients(self) -> Config:
        """In transparent mode a connection has one IP version from end to end."""
        if self.source is None:
            found = list(self._across_versions())
            if found:
                raise mistakes(type(self).__name__, found)
        return self

    def _across_versions(self) -> Iterator[tuple[KeyPath, str]]:
        for name, listener in self.listeners.items():
            version = family_of(listener.address.address).version
            for pool in listener.pools:
                for index, server in enumerate(self.pools[pool].servers):
                    address = server.address
                    if isinstance(address, Endpoint) and family_of(address.address).version != version:
                        why = f"{address} is not of IPv{version}, as listener {name} is; {ACROSS_VERSIONS}"
                        yield ("pools", pool, "servers", index, "address"), why

    def model_post_init(self, context: object, /) -> None:
        """Keep the context of the validation."""
        assert isinstance(context, Context)
        self._context = context

    @property
    def context(self) -> Context:
        """What is found later, such as the addresses of a server's name, is checked against."""
        return self._context

    @classmethod
    def validated(cls, data: object, directory: Path) -> Config:
        """Check plain values from a file in `directory`; raises pydantic.ValidationError."""
        pools = data.get("pools") if isinstance(data, dict) else None
        names = [name for name in pools if isinstance(name, str)] if isinstance(pools, dict) else []
        return cls.model_validate(data, context=Context(directory, names))
