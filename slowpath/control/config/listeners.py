"""Listeners and their routes (docs/configuration.md, listeners)."""

from __future__ import annotations

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

from slowpath.control.config.context import Context
from slowpath.control.config.matching import Headers, Host, Methods, RequestPathMatch
from slowpath.control.config.problems import alternatives
from slowpath.control.config.section import Section
from slowpath.control.config.values import ForwardedEndpoint, Weight, choice
from slowpath.routing.router import Rule
from slowpath.wire.endpoint import Endpoint


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


PoolWeights = Annotated[dict[str, Weight], BeforeValidator(_weights), Field(min_length=1), AfterValidator(_known_pools)]
"""Weights by pool name."""


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
