"""Pools and their servers (docs/configuration.md, pools)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, PlainValidator, ValidationInfo, field_validator

from slowpath.balancing.balancer import STRATEGIES
from slowpath.control.config.context import Context
from slowpath.control.config.health import HealthConfig
from slowpath.control.config.section import Section
from slowpath.control.config.values import ForwardedEndpoint, Weight, choice
from slowpath.wire.endpoint import Endpoint


def _shorthand(value: object) -> object:
    """`10.2.0.3:80` is short for `{address: "10.2.0.3:80"}`."""
    return {"address": value} if isinstance(value, str) else value


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
