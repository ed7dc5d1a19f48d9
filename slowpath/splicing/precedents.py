"""Heads that were decided on before: the fast path is told, and lets requests with them pass to the server they have.

Whether a request may go to the server that its connection has depends, where nothing regards its client, on its bytes,
the rules and the server's state alone. So the answer holds for each connection to that server, until the rules change
or a moment has passed, in which the server may have.
"""

from __future__ import annotations

from fastpath.records import HEAD_LIMIT, Precedent, Splice
from slowpath.http.head import RequestHead
from slowpath.request import Request
from slowpath.routing.router import Route
from slowpath.splicing.recurrence import LIFETIME, METHOD, Labels, Recurrence
from slowpath.splicing.service import Pool, Service


class Precedents:
    """Which heads come again on connections that are spliced."""

    def __init__(self, labels: Labels) -> None:
        self._labels, self._recurrence = labels, Recurrence()

    def of(
        self, splice: Splice, service: Service, route: Route, request: Request, head: bytes, now: float
    ) -> Precedent | None:
        """What to tell the fast path of a request that may stay, and all of which is `head`; None for nothing."""
        if len(head) > HEAD_LIMIT or not is_regular(route, request, len(head)):
            return None
        pool = service.pools[route.pool]
        if not may_be_followed(service, pool):
            return None
        if not self._recurrence.is_due(hash((head, splice.flow.vip, splice.server, splice.server_id)), now):
            return None
        label = self._labels.of(service, pool)
        if label is None:
            return None
        return Precedent(splice.flow.vip, splice.server, splice.server_id, head, label, now + LIFETIME)

    def forget(self) -> None:
        """Nothing holds any more."""
        self._recurrence.forget()


def is_regular(route: Route, request: Request, length: int) -> bool:
    """Whether others with the same head of `length` bytes get the same route, and none of them has a body."""
    if not isinstance(request, RequestHead) or request.method != METHOD or request.length != length:
        return False
    return request.content_length is None and route.rule.request_rate is None and len(route.rule.pool) == 1


def may_be_followed(service: Service, pool: Pool) -> bool:
    """Whether requests of a listener may pass to the pool's servers without the slow path."""
    limits = service.limits
    return (
        service.precedents
        and (limits is None or limits.request_rate is None)
        and not service.router.edits
        and not pool.balancer.regards_clients
    )
