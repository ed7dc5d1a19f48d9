"""Heads that were decided on before: the fast path is told, and lets requests with them pass to the server they have.

Whether a request may go to the server that its connection has depends, where nothing regards its client, on its bytes,
the rules and the server's state alone. So the answer holds for each connection to that server, until the rules change
or a moment has passed, in which the server may have.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from fastpath.records import HEAD_LIMIT, LABELS, Precedent, Splice
from slowpath.http.head import RequestHead
from slowpath.request import Request
from slowpath.routing.router import Route
from slowpath.splicing.service import Pool, Service

LIFETIME: Final = 1.0
"""Seconds for which a precedent holds: a server that goes away may get requests for so much longer."""
METHOD: Final = "GET"
"""Of the requests that follow precedents: the slow path has to know what is answered."""
_REMEMBERED: Final = 8192
"""Heads of which it is remembered that they have come before."""

ServiceAndPool = tuple[str, str]


class Precedents:
    """Which heads come again."""

    def __init__(self) -> None:
        self._until: OrderedDict[int, float] = OrderedDict()
        """By a hash of path and head: until when the last precedent holds, 0 for none; those seen last at the end."""
        self._labels: dict[ServiceAndPool, int] = {}

    def of(
        self, splice: Splice, service: Service, route: Route, request: Request, head: bytes, now: float
    ) -> Precedent | None:
        """What to tell the fast path of a request that may stay, and all of which is `head`; None for nothing."""
        if not (isinstance(request, RequestHead) and request.method == METHOD and request.length == len(head)):
            return None
        if route.rule.request_rate is not None or len(route.rule.pool) != 1 or len(head) > HEAD_LIMIT:
            return None
        if not may_be_followed(service, service.pools[route.pool]):
            return None
        name = hash((head, splice.flow.vip, splice.server, splice.server_id))
        until = self._until.pop(name, None)
        if until is None or until - now > LIFETIME / 2:
            # The first of its kind; or one that was under way while the precedent was set.
            self._until[name] = until or 0.0
            if len(self._until) > _REMEMBERED:
                self._until.popitem(last=False)
            return None
        self._until[name] = now + LIFETIME
        label = self._labels.setdefault((service.name, route.pool), len(self._labels))
        if label >= LABELS:
            return None
        return Precedent(splice.flow.vip, splice.server, splice.server_id, head, label, now + LIFETIME)

    def forget(self) -> None:
        """Nothing holds any more."""
        self._until.clear()

    def count(self, followed: Mapping[int, int]) -> dict[ServiceAndPool, int]:
        """The requests that have followed precedents, given as the fast path counts them."""
        return {name: followed.get(label, 0) for name, label in self._labels.items()}


def may_be_followed(service: Service, pool: Pool) -> bool:
    """Whether requests of a listener may pass to the pool's servers without the slow path."""
    limits = service.limits
    return (
        service.precedents
        and (limits is None or limits.request_rate is None)
        and not service.router.edits
        and not pool.balancer.regards_clients
    )
