"""Sticky sessions: a cookie that the application sets names the server that has the session."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from slowpath.balancing.member import Balancer, Member
from slowpath.http import cookies
from slowpath.request import Request
from slowpath.wire.endpoint import Endpoint


class Sticky:
    """The server that the cookie names while that is alive, draining or without weight too; else another strategy's.

    A cookie names a server by its value as a whole, by what follows its last dot (`SESSION.s1`, the
    jvmRoute of Tomcat), or by what comes before its first `~` or dot (`s1~SESSION`, as HAProxy
    prefixes it). Names therefore have neither.
    """

    def __init__(self, cookie: str, members: Iterable[Member], inner: Balancer) -> None:
        self._cookie = cookie
        self._members = {member.name: member for member in members if member.name}
        self._inner = inner

    @property
    def regards_clients(self) -> bool:
        """See Balancer."""
        return self._inner.regards_clients

    def pick(self, client: Endpoint, request: Request, tried: Collection[int] = ()) -> Member | None:
        """See Balancer: a session waits for its server while that is full."""
        member = self._named(request)
        if member is not None and member.id not in tried:
            return member
        return self._inner.pick(client, request, tried)

    def turns(self, count: int) -> list[Member]:
        """See Balancer: the cookie decides."""
        return []

    def stays(self, client: Endpoint, member: Member, request: Request) -> bool:
        """See Balancer."""
        named = self._named(request)
        return self._inner.stays(client, member, request) if named is None else named is member

    def _named(self, request: Request) -> Member | None:
        for value in cookies.values(request, self._cookie):
            for name in (value, value.rpartition(".")[2], value.partition("~")[0], value.partition(".")[0]):
                member = self._members.get(name)
                if member is not None:
                    return member if member.alive else None
        return None
