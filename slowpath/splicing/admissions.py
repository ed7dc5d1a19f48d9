"""New connections whose request has come before: the fast path is told which servers they go to, and opens them itself.

What a first request leads to depends, where nothing regards its client, on its bytes and the rules alone, and whose
turn it is can be said ahead. So the slow path gives turns away, a few at a time and for a moment.
"""

from __future__ import annotations

from fastpath.interface import Admitted
from fastpath.records import ADMISSION_HEADS, MAX_TURNS, Admission
from slowpath.balancing.member import UNLIMITED, Member
from slowpath.routing.router import Route
from slowpath.splicing.junction import Junction
from slowpath.splicing.phases import Phase
from slowpath.splicing.pivots import Course
from slowpath.splicing.precedents import is_regular, may_be_followed
from slowpath.splicing.recurrence import LIFETIME, METHOD, Labels, Recurrence
from slowpath.splicing.service import Pool, Service
from slowpath.splicing.session import Session
from slowpath.splicing.terms import methods, terms
from slowpath.tcp import cookie
from slowpath.wire.ip import IPV4


class Admissions:
    """Which heads come again on new connections, and whose turns were given away."""

    def __init__(self, labels: Labels) -> None:
        self._labels, self._recurrence = labels, Recurrence()
        self._members: dict[tuple[int, int], Member] = {}
        """By label and `Server.id`."""

    def of(self, session: Session, route: Route, now: float) -> Admission | None:
        """What to tell the fast path of a session's first request, which goes this way; None for nothing."""
        request, service, head = session.request, session.service, session.first.payload
        if request is None or len(head) not in ADMISSION_HEADS or not is_regular(route, request, len(head)):
            return None
        pool = service.pools[route.pool]
        if not _is_untouched(session) or not _may_be_admitted(service, pool):
            return None
        routed = session.course is Course.REQUEST
        if routed and not may_be_followed(service, pool):
            return None
        if not self._recurrence.is_due(hash((head, service.endpoint)), now):
            return None
        label, turns = self._labels.of(service, pool), pool.turns(MAX_TURNS, now)
        if label is None or not turns or any(len(member.endpoint.address) != IPV4.address_length for member in turns):
            return None
        for member in turns:
            self._members[label, member.id] = member
        servers = tuple((member.endpoint, member.id) for member in turns)
        return Admission(service.endpoint, bytes(head), servers, routed, label, now + LIFETIME)

    def junction(self, admitted: Admitted, now: float) -> Junction:
        """What the slow path makes of a connection that the fast path has opened."""
        service, pool = self._labels[admitted.label]
        member = self._members[admitted.label, admitted.splice.server_id]
        agreed = cookie.agreed(admitted.lead)
        scale = service.offer.window_scale or 0 if agreed.window_scale is not None else 0
        junction = Junction(admitted.splice, service, pool, member, now, phase=Phase.SPLICED, connect_started=now)
        junction.terms = terms(agreed, scale)
        if (followed := admitted.followed) is not None:
            junction.asked = methods(METHOD)
            if followed.request_start is None or followed.response_start is None:
                junction.asked *= 2  # Nobody knows what was answered.
            else:
                junction.request_start, junction.response_start = followed.request_start, followed.response_start
        return junction

    def forget(self) -> None:
        """Nothing holds any more."""
        self._recurrence.forget()


def _is_untouched(session: Session) -> bool:
    """Whether the server gets what the client has sent, all in one segment, and nobody has to hear of it."""
    if session.resumed or session.owned or session.preamble or session.edited is not None:
        return False
    return session.account is None and session.slot is None and session.course in (Course.REQUEST, Course.NOTHING)


def _may_be_admitted(service: Service, pool: Pool) -> bool:
    """Whether connections of a listener may go to the pool's servers without the slow path."""
    return (
        service.admissions
        and service.limits is None
        and not service.router.edits
        and pool.proxy_protocol is None
        and all(member.max_connections == UNLIMITED for member in pool.members)
    )
