"""What a listener's protocol shows of a connection, and so which keys of the listener and its routes it can have."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from slowpath.control.config.problems import KeyPath
from slowpath.control.config.section import Section

PROTOCOLS: Final = ("http", "tls", "tcp")

_HTTP_ONLY_LISTENER_KEYS: Final = frozenset({"routing", "forwarded", "request_headers"})
"""Keys of a listener that need requests to be read."""

_ROUTE_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "tls": frozenset({"host", "alpn", "pool"}),
}
"""Keys of a route, where they are not all but _NOT_OF_HTTP; tcp has no routes."""

_NOT_OF_HTTP: Final = frozenset({"alpn"})

_WHY: Final = {
    "http": "does not go with protocol: http, which is not encrypted; it needs protocol: tls",
    "tls": "does not go with protocol: tls, where all but the server name and ALPN is encrypted",
    "tcp": "does not go with protocol: tcp, of which nothing is read; use default: POOL",
}


def misplaced(protocol: str, listener: Section, routes: Sequence[Section]) -> Iterator[tuple[KeyPath, str]]:
    """Messages for the keys that were given and that `protocol` cannot have, by their path in the listener."""
    why = _WHY[protocol]
    if protocol != "http":
        yield from (((key,), why) for key in sorted(listener.model_fields_set & _HTTP_ONLY_LISTENER_KEYS))
    if protocol == "tcp" and routes:
        yield ("routes",), why
        return
    for index, route in enumerate(routes):
        yield from ((("routes", index, key), why) for key in sorted(_wrong(protocol, route.model_fields_set)))


def _wrong(protocol: str, given: Collection[str]) -> frozenset[str]:
    if protocol == "http":
        return _NOT_OF_HTTP & frozenset(given)
    return frozenset(given) - _ROUTE_KEYS[protocol]
