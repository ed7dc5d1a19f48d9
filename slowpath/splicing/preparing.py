"""From a route to what its server gets: the pool, a preamble, and an edited head in the place of the client's."""

from __future__ import annotations

from slowpath import proxy_protocol
from slowpath.http.editing import NO_EDITS, edited, offers_http
from slowpath.http.h2_request import Http2Request
from slowpath.http.head import RequestHead
from slowpath.request import Request
from slowpath.routing.router import Route
from slowpath.splicing import pivots
from slowpath.splicing.context import Context
from slowpath.splicing.session import Session
from slowpath.wire import sequence as seq


def prepare(context: Context, session: Session, route: Route, now: float, *, close: bool = False) -> None:
    """Make `session`, whose request was read, ready to connect to a server of the route's pool.

    With `close` the server is asked to close its connection after the response.
    """
    session.pool = pool = session.service.pools[route.pool]
    if pool.proxy_protocol is not None:
        session.preamble = proxy_protocol.header(pool.proxy_protocol, *session.flow)
    request = session.request
    if isinstance(request, Http2Request):
        if request.edited is not None:
            session.edited = request.edited
            _own(context, session, len(session.received), now)
        return
    if route.rule.edits is None and not close and not _changes_unasked(session, request):
        return
    assert isinstance(request, RequestHead)  # `decide` refuses others where there are edits
    raw = bytes(session.received[: request.length])
    session.edited = edited(raw, request, route.rule.edits or NO_EDITS, session.flow.client, close=close)
    if session.account is not None:
        session.account.identify(session.edited)
    # The client's own bytes of the head never reach the server: they are ours now, and so is what came of the body.
    # A next request stays the client's, until it is read.
    _own(context, session, len(session.received) if close else min(len(session.received), pivots.end(request)), now)


def _own(context: Context, session: Session, length: int, now: float) -> None:
    """Acknowledge the first `length` bytes: they are ours to deliver."""
    session.owned = length
    session.client.acknowledge(now, seq.add(session.client_isn, 1 + length))
    context.flush(session)


def _changes_unasked(session: Session, request: Request | None) -> bool:
    """Whether the head must change though no rule says so: some upgrades would hide the next requests."""
    if not isinstance(request, RequestHead) or "upgrade" not in request.headers:
        return False
    return not session.service.protocol.http2 and offers_http(request)
