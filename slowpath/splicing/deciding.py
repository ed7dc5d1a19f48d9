"""What becomes of a request: a route to a pool, or an answer of our own. Knows no session, so any request can ask."""

from __future__ import annotations

from math import ceil

from fastpath.records import Flow
from slowpath.http.answers import Answer, standard, too_many
from slowpath.http.head import RequestHead
from slowpath.request import Request
from slowpath.routing.router import Route
from slowpath.splicing.context import Context
from slowpath.splicing.service import Service


def decide(context: Context, service: Service, flow: Flow, request: Request, now: float) -> Route | Answer:
    """The route of `request`, or the answer to it; `flow` is its connection, `now` the engine's clock."""
    client, limits = flow.client.address, service.limits
    if limits is not None and limits.request_rate is not None and (wait := limits.request_rate.take(client, now)):
        return _too_many(context, service, wait)
    route = service.router.choose(request)
    if route is None:
        return standard(404)
    if request.method == "CONNECT" and service.router.edits:
        return standard(501)  # A server that takes it for any other request would make a tunnel for unedited ones.
    limit = route.rule.request_rate
    if limit is not None and (wait := limit.take(client, now)):
        return _too_many(context, service, wait)
    if route.rule.reply is not None:
        return route.rule.reply.answer(request, flow.vip.port)
    if not isinstance(request, RequestHead) and (route.rule.edits is not None or not service.protocol.http2):
        return standard(505)  # HTTP/2, begun before a reload that refuses it: its later requests would not be seen.
    context.statistics.requests[service.name, route.pool] += 1
    return route


def _too_many(context: Context, service: Service, wait: float) -> Answer:
    context.statistics.limited[service.name, "request_rate"] += 1
    return too_many(ceil(wait))
