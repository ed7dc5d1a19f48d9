"""What every target refuses before it changes anything: values out of range, and 4-tuples claimed twice.

The texts of errors are made only where there is one: batches pass here at the rate of connections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from fastpath.errors import Rejected
from fastpath.records import Flow, Listener, Server, Splice, Tuple4
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.ip import is_mapped

_LARGEST_U16, _LARGEST_U32 = 0xFFFF, 0xFFFF_FFFF


def check_tables(listeners: Sequence[Listener], servers: Sequence[Server], *, ipv6: bool = False) -> None:
    """Refuse a listener or server out of range, or of IPv6 where the target has none; raises Rejected."""
    for listener in listeners:
        _check_endpoints("listener", listener.endpoint, (listener.endpoint,), ipv6=ipv6)
    for server in servers:
        _check_endpoints("server", server.endpoint, (server.endpoint,), ipv6=ipv6)
        _check_range("server", server.endpoint, "id", server.id, _LARGEST_U16)


def check_splices(batch: Mapping[Flow, Splice], holder: Callable[[Tuple4], Flow | None], *, ipv6: bool = False) -> None:
    """Refuse a splice with a value out of range, or with a 4-tuple that another one has or gets; raises Rejected.

    `holder` names the installed splice whose packets carry a 4-tuple.
    """
    claimed: dict[Tuple4, Flow] = {}
    for flow, splice in batch.items():
        _check_endpoints("splice", flow, (*flow, splice.server, splice.source), ipv6=ipv6)
        _check_same_version(flow, "client and VIP", flow)
        _check_same_version(flow, "server and source", (splice.server, splice.source))
        _check_range("splice", flow, "server_id", splice.server_id, _LARGEST_U16)
        _check_range("splice", flow, "delta", splice.delta, _LARGEST_U32)
        _check_range("splice", flow, "timestamp_delta", splice.timestamp_delta, _LARGEST_U32)
        _check_range("splice", flow, "pivot", splice.pivot or 0, _LARGEST_U32)
        for match in (Tuple4(*flow), Tuple4(splice.server, splice.source)):
            owner = holder(match)
            if owner is None or owner in batch:
                owner = claimed.setdefault(match, flow)
            if owner != flow:
                raise Rejected(f"splice {flow}: packets {match.source} > {match.destination} belong to splice {owner}")


def _check_endpoints(kind: str, name: object, endpoints: Iterable[Endpoint], *, ipv6: bool) -> None:
    for endpoint in endpoints:
        if is_mapped(endpoint.address):
            raise Rejected(f"{kind} {name}: {endpoint} is an IPv4-mapped address, which no packet carries")
        if len(endpoint.address) != 4 and not ipv6:
            raise Rejected(f"{kind} {name}: {endpoint} is not an IPv4 endpoint, and this target forwards IPv4 only")
        _check_range(kind, name, "port", endpoint.port, _LARGEST_U16)


def _check_same_version(flow: Flow, what: str, endpoints: tuple[Endpoint, Endpoint]) -> None:
    one, other = endpoints
    if len(one.address) != len(other.address):
        raise Rejected(f"splice {flow}: {what} are of different IP versions: {one}, {other}")


def _check_range(kind: str, name: object, what: str, value: int, largest: int) -> None:
    if not 0 <= value <= largest:
        raise Rejected(f"{kind} {name}: {what} {value} is outside 0..{largest}")
