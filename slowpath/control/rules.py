"""From a listener's routes to the rules of its router."""

from __future__ import annotations

from collections.abc import Callable

from slowpath.control.config import ListenerConfig, RouteConfig
from slowpath.control.config.edits import rewriting
from slowpath.http.editing import HeadEdits
from slowpath.limiting.rate import RateLimit
from slowpath.routing.router import Router, Rule


def router(
    listener: ListenerConfig, random_bits: Callable[[int], int], request_rate: Callable[[int], RateLimit | None]
) -> Router:
    """The router of a listener.

    `random_bits` gives as many random bits as it is asked for, `request_rate` the limit of a route by its place.
    """
    return Router(
        [_rule(listener, route, random_bits, request_rate(index)) for index, route in enumerate(listener.routes)],
        listener.default,
        _edits(listener, None, random_bits),
    )


def _rule(
    listener: ListenerConfig, route: RouteConfig, random_bits: Callable[[int], int], request_rate: RateLimit | None
) -> Rule:
    return Rule(
        route.pool or {},
        route.host,
        route.path,
        route.method,
        route.headers,
        route.alpn,
        reply=route.reply,
        edits=_edits(listener, route, random_bits) if route.pool is not None else None,
        request_rate=request_rate,
    )


def _edits(listener: ListenerConfig, route: RouteConfig | None, random_bits: Callable[[int], int]) -> HeadEdits | None:
    """What is done to the heads of a route's requests: the listener's edits, then its own; None for nothing."""
    sections = (listener.request_headers, route.request_headers if route is not None else None)
    fields = [section.edits() for section in sections if section is not None]
    rewrite = route.rewrite if route is not None else None
    if listener.forwarded is None and not fields and rewrite is None:
        return None
    return HeadEdits(
        listener.forwarded.fields if listener.forwarded is not None else (),
        listener.forwarded.trusted if listener.forwarded is not None else (),
        fields,
        rewrite.hostname if rewrite is not None else None,
        rewriting(rewrite.path, route.path) if rewrite is not None and route is not None else None,
        random_bits,
    )
