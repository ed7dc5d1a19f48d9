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
from slowpath.control.config.edits import Forwarded, RequestHeaders, RewriteConfig, rewriting
from slowpath.control.config.matching import Alpn, Headers, Host, Methods, RequestPathMatch
from slowpath.control.config.problems import alternatives
from slowpath.control.config.protection import ListenerLimitsConfig, Prefixes, RateLimit
from slowpath.control.config.protocols import PROTOCOLS, misplaced
from slowpath.control.config.replies import RedirectConfig, RespondConfig
from slowpath.control.config.section import Section, mistakes
from slowpath.control.config.values import ForwardedEndpoint, Weight, choice
from slowpath.routing.router import Reply
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.ip import family_of


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
    """One rule: everything it names must match; `pool` holds weights by pool name, unless it answers by itself."""

    host: Host | None = None
    path: RequestPathMatch | None = None
    method: Methods = frozenset()
    headers: Headers = Field(default_factory=dict)
    alpn: Alpn = frozenset()
    pool: PoolWeights | None = None
    redirect: RedirectConfig | None = None
    respond: RespondConfig | None = None
    request_headers: RequestHeaders | None = None
    rewrite: RewriteConfig | None = None
    request_rate: RateLimit | None = None

    @model_validator(mode="after")
    def _one_end(self) -> RouteConfig:
        if [self.pool, self.redirect, self.respond].count(None) != 2:
            raise ValueError("leads to one of pool, redirect and respond")
        if self.pool is None and self.edits_requests:
            raise ValueError("request_headers and rewrite are for requests that go to a pool")
        return self

    @model_validator(mode="after")
    def _prefixes_are_replaced(self) -> RouteConfig:
        for key, section in (("redirect", self.redirect), ("rewrite", self.rewrite)):
            try:
                rewriting(section.path if section is not None else None, self.path)
            except ValueError as error:
                raise mistakes(type(self).__name__, [((key, "path"), str(error))]) from None
        return self

    @property
    def edits_requests(self) -> bool:
        """Whether servers get other heads than clients sent."""
        return self.request_headers is not None or self.rewrite is not None

    @property
    def reply(self) -> Reply | None:
        """What its requests are answered with, if they go to no pool."""
        if self.redirect is not None:
            return self.redirect.reply(self.path)
        return self.respond.reply() if self.respond is not None else None


class ListenerConfig(Section):
    """A VIP, and which pool gets which request; the first route that matches wins."""

    address: ForwardedEndpoint
    protocol: Annotated[str, PlainValidator(choice(*PROTOCOLS))] = "http"
    routing: Annotated[str, PlainValidator(choice("auto", "request", "connection"))] = "auto"
    routes: tuple[RouteConfig, ...] = ()
    default: PoolWeights | None = None
    forwarded: Forwarded | None = None
    request_headers: RequestHeaders | None = None
    allow: Prefixes = ()
    deny: Prefixes = ()
    limits: ListenerLimitsConfig | None = None
    access_log: Annotated[bool, Field(strict=True)] = True

    @field_validator("address")
    @classmethod
    def _free(cls, address: Endpoint, info: ValidationInfo) -> Endpoint:
        Context.of(info).require_forwarded(family_of(address.address).version, address)
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

    @property
    def pools(self) -> tuple[str, ...]:
        """The names of the pools that it can choose, each once."""
        choices = [*(route.pool for route in self.routes), self.default]
        return tuple(dict.fromkeys(name for choice in choices if choice is not None for name in choice))

    @property
    def reads_every_request(self) -> bool:
        """Whether each request of a connection is routed, or only the first."""
        if self.protocol != "http" or self.routing == "connection":
            return False
        if self.routing == "request" or self.edits_requests or self.limits_requests:
            return True
        return self.answers_requests or len(self.pools) > 1

    @property
    def takes_http2(self) -> bool:
        """Whether HTTP/2 is served: only the first request of such a connection is seen, so no other may have to be."""
        if self.routing == "auto":
            return not (self.answers_requests or self.edits_requests or self.limits_requests)
        return self.routing == "connection"

    @property
    def answers_requests(self) -> bool:
        """Whether some requests get no server."""
        return self.default is None or any(route.pool is None for route in self.routes)

    @property
    def limits_requests(self) -> bool:
        """Whether requests are counted, so that each one has to be seen."""
        of_all = self.limits is not None and self.limits.request_rate is not None
        return of_all or any(route.request_rate is not None for route in self.routes)

    @property
    def edits_requests(self) -> bool:
        """Whether servers get other heads than clients sent, so that each request has to be seen."""
        edited = self.forwarded is not None or self.request_headers is not None
        return edited or any(route.edits_requests for route in self.routes)

    @model_validator(mode="after")
    def _sees_what_it_edits(self) -> ListenerConfig:
        if self.edits_requests and self.routing == "connection" and "routing" in self.model_fields_set:
            why = "'connection' reads the first request only: with forwarded, request_headers or rewrite use request"
            raise mistakes(type(self).__name__, [(("routing",), why)])
        return self

    @model_validator(mode="after")
    def _sees_what_it_counts(self) -> ListenerConfig:
        if self.limits_requests and self.routing == "connection" and "routing" in self.model_fields_set:
            why = "'connection' reads the first request only: with request_rate use request"
            raise mistakes(type(self).__name__, [(("routing",), why)])
        return self

    @model_validator(mode="after")
    def _counts_requests_of_http(self) -> ListenerConfig:
        if self.protocol != "http" and self.limits is not None and self.limits.request_rate is not None:
            why = f"does not go with protocol: {self.protocol}, of which no requests are read; use connection_rate"
            raise mistakes(type(self).__name__, [(("limits", "request_rate"), why)])
        return self

    @model_validator(mode="after")
    def _of_its_protocol(self) -> ListenerConfig:
        if found := list(misplaced(self.protocol, self, self.routes)):
            raise mistakes(type(self).__name__, found)
        return self
