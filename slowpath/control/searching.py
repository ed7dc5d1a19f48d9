"""Which connections an operator asks for: the arguments of `l7lb connections` as they come through the admin socket."""

from __future__ import annotations

import ipaddress
from typing import Any

from slowpath.splicing.phases import Phase
from slowpath.splicing.search import Prefix, Wanted
from slowpath.wire.endpoint import Endpoint

LIMIT, MAX_LIMIT = 1000, 10_000
"""Connections that are listed unless another number is asked for, and at most: more would keep the balancer waiting."""

STATES = tuple(phase.value for phase in Phase if phase is not Phase.GONE)


def wanted(arguments: dict[str, Any]) -> Wanted:
    """What is asked for by `limit`, `client`, `server`, `pool` and `state`, each of them optional.

    Raises ValueError for what cannot be meant.
    """
    limit, state = arguments.get("limit"), arguments.get("state")
    if limit is None:
        limit = LIMIT
    if type(limit) is not int or not 1 <= limit <= MAX_LIMIT:
        raise ValueError(f"{limit!r} is no number of connections from 1 to {MAX_LIMIT}")
    if state is not None and state not in STATES:
        raise ValueError(f"there is no state {state!r}: there are {', '.join(STATES)}")
    client, server, pool = (_text(arguments, name) for name in ("client", "server", "pool"))
    return Wanted(
        limit,
        client=None if client is None else _prefix(client),
        server=None if server is None else Endpoint.parse(server),
        pool=pool,
        phase=None if state is None else Phase(state),
    )


def _text(arguments: dict[str, Any], name: str) -> str | None:
    value = arguments.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name!r} is not a text: {value!r}")
    return value


def _prefix(text: str) -> Prefix:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is neither an IP address nor a network such as 192.0.2.0/24") from None
    return Prefix(network.network_address.packed, network.prefixlen)
