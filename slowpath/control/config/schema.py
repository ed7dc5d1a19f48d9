"""The configuration's sections and keys (design section 7); docs/configuration.md explains each of them."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    ValidationInfo,
    field_validator,
    model_validator,
)

from slowpath.balancing.balancer import STRATEGIES
from slowpath.control.config.context import Context
from slowpath.control.config.fastpath import FastPathSection
from slowpath.control.config.matching import Headers, Host, Methods, RequestPathMatch
from slowpath.control.config.problems import alternatives
from slowpath.control.config.section import Section
from slowpath.control.config.values import (
    AnyEndpoint,
    Count,
    Duration,
    ForwardedEndpoint,
    HostHeader,
    IpNetwork,
    Name,
    RequestPath,
    SnatNetworks,
    choice,
)
from slowpath.routing.router import Rule
from slowpath.wire.endpoint import Endpoint

DEFAULT_ADMIN = Path("/run/l7lb.sock")

_MAX_SOCKET_PATH = 107  # sun_path of unix(7), without its terminating zero


def _weights(value: object) -> object:
    """`web` is short for `{web: 1}`."""
    return {value: 1} if isinstance(value, str) else value


def _known_pools(weights: dict[str, int], info: ValidationInfo) -> dict[str, int]:
    pools = Context.of(info).pools
    for pool in weights:
        if pool not in pools:
            raise ValueError(f"there is no pool {pool!r}: {alternatives(pool, pools)}")
    if not any(weights.values()):
        raise ValueError("every weight is 0: give at least one pool a weight of 1 or more")
    return weights


def _shorthand(value: object) -> object:
    """`10.2.0.3:80` is short for `{address: "10.2.0.3:80"}`."""
    return {"address": value} if isinstance(value, str) else value


Weight = Annotated[int, Field(strict=True, ge=0, le=1000)]
PoolWeights = Annotated[dict[str, Weight], BeforeValidator(_weights), Field(min_length=1), AfterValidator(_known_pools)]
"""Weights by pool name."""


class SnatConfig(Section):
    """The addresses that connections to servers come from."""

    snat: SnatNetworks

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


class RouteConfig(Section):
    """One rule: everything it names must match; `pool` holds weights by pool name."""

    host: Host | None = None
    path: RequestPathMatch | None = None
    method: Methods = frozenset()
    headers: Headers = Field(default_factory=dict)
    pool: PoolWeights

    def rule(self) -> Rule:
        """As the router takes it."""
        return Rule(self.pool, self.host, self.path, self.method, self.headers)


class ListenerConfig(Section):
    """A VIP, and which pool gets which request; the first route that matches wins."""

    address: ForwardedEndpoint
    protocol: Annotated[str, PlainValidator(choice("http", later=("tls", "tcp")))] = "http"
    routing: Annotated[str, PlainValidator(choice("connection", later=("request",)))] = "connection"
    routes: tuple[RouteConfig, ...] = ()
    default: PoolWeights | None = None

    @field_validator("address")
    @classmethod
    def _free(cls, address: Endpoint, info: ValidationInfo) -> Endpoint:
        taken = Context.of(info).listeners
        if address in taken:
            raise ValueError(f"{address} belongs to another listener already")
        taken.add(address)
        return address

    @model_validator(mode="after")
    def _leads_somewhere(self) -> ListenerConfig:
        if not self.routes and self.default is None:
            raise ValueError("leads to no pool: add routes, or default: POOL")
        return self


class HealthConfig(Section):
    """How a server is probed: an HTTP GET of the path `http`, or a TCP handshake when it is None."""

    http: RequestPath | None = None
    tcp: Annotated[bool, Field(strict=True)] = False
    host: HostHeader | None = None
    interval: Duration = 2.0
    timeout: Duration = 1.0
    rise: Count = 2
    fall: Count = 3

    @model_validator(mode="before")
    @classmethod
    def _tcp_unless_http(cls, value: object) -> object:
        return {"tcp": True} | value if isinstance(value, dict) and "http" not in value else value

    @model_validator(mode="after")
    def _one_kind(self) -> HealthConfig:
        if self.tcp == (self.http is not None):
            raise ValueError("is one of {http: PATH} and {tcp: true}")
        if self.tcp and self.host is not None:
            raise ValueError("host is for {http: PATH} only")
        return self


class ServerConfig(Section):
    """A server; its weight is relative to the others of the pool, and 0 keeps new connections away."""

    address: ForwardedEndpoint
    weight: Weight = 1

    @field_validator("address")
    @classmethod
    def _no_loop(cls, address: Endpoint, info: ValidationInfo) -> Endpoint:
        if address in Context.of(info).listeners:
            raise ValueError(f"{address} is a listener's own address")
        return address

    @field_validator("address")
    @classmethod
    def _reached(cls, address: Endpoint, info: ValidationInfo) -> Endpoint:
        network = Context.of(info).network
        if network is not None and network.neighbour(address.address) is None:
            raise ValueError(f"{address}: no port and no route of fastpath leads there")
        return address


class PoolConfig(Section):
    """Servers that answer the same requests."""

    balance: Annotated[str, PlainValidator(choice(*STRATEGIES))] = "round_robin"
    health: HealthConfig = HealthConfig()
    servers: Annotated[tuple[Annotated[ServerConfig, BeforeValidator(_shorthand)], ...], Field(min_length=1)]

    @field_validator("servers")
    @classmethod
    def _distinct(cls, servers: tuple[ServerConfig, ...]) -> tuple[ServerConfig, ...]:
        addresses = [server.address for server in servers]
        for index, address in enumerate(addresses):
            if address in addresses[:index]:
                raise ValueError(f"{address} is listed twice: give it a weight of 2 instead")
        if not any(server.weight for server in servers):
            raise ValueError("every weight is 0: give at least one server a weight of 1 or more")
        return servers


class TimeoutsConfig(Section):
    """How long the balancer waits, in seconds."""

    connect: Duration = 1.0
    request_head: Duration = 10.0
    answer: Duration = 5.0
    idle: Duration = 600.0
    linger: Duration = 2.0
    drain: Duration = 30.0


class LimitsConfig(Section):
    """How much one client may ask for."""

    head_bytes: Annotated[int, Field(strict=True, ge=1024, le=65536)] = 16384


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
    listeners: Annotated[dict[Name, ListenerConfig], Field(min_length=1)]
    pools: Annotated[dict[Name, PoolConfig], Field(min_length=1)]

    @classmethod
    def validated(cls, data: object, directory: Path) -> Config:
        """Check plain values from a file in `directory`; raises pydantic.ValidationError."""
        pools = data.get("pools") if isinstance(data, dict) else None
        names = [name for name in pools if isinstance(name, str)] if isinstance(pools, dict) else []
        return cls.model_validate(data, context=Context(directory, names))
