"""What rules without a pool answer with: redirects, and responses that are always the same."""

from __future__ import annotations

from dataclasses import dataclass

from slowpath.http.answers import Answer, standard
from slowpath.http.rewriting import PathRewrite
from slowpath.request import Request

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same response to every request."""

    response: Answer

    def answer(self, request: Request, port: int) -> Answer:
        """The response."""
        return self.response


@dataclass(frozen=True, slots=True)
class Redirect:
    """Sends clients elsewhere (RFC 9110 section 15.4); what is None stays as the request has it.

    Without `port` a `scheme` has its own one; without both it is the one the request came to (Gateway
    API's HTTPRequestRedirectFilter). The query stays. `status` is 301, 302, 303, 307 or 308.
    """

    status: int = 302
    scheme: str | None = None
    hostname: str | None = None
    port: int | None = None
    path: PathRewrite | None = None

    def answer(self, request: Request, port: int) -> Answer:
        """The redirect of `request`, which came to `port`; 400 if neither says which host."""
        host = self.hostname or request.host
        if not host:
            return standard(400)
        scheme = self.scheme or "http"
        to_port = self.port or (port if self.scheme is None else _DEFAULT_PORTS[scheme])
        authority = host if to_port == _DEFAULT_PORTS[scheme] else f"{host}:{to_port}"
        # A request for no path (CONNECT, OPTIONS *) is sent to the root.
        path = request.path if request.path.startswith("/") else "/"
        if self.path is not None:
            path = self.path.of(path)
        _, mark, query = request.target.partition("?")
        return Answer(self.status, (("Location", f"{scheme}://{authority}{path}{mark}{query}"),))
