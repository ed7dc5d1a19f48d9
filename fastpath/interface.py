"""The contract between the slow path and every fast path (design section 6)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fastpath.frame import Punt
from fastpath.records import (
    Admission,
    Counters,
    Direction,
    Flow,
    Followed,
    Limits,
    Listener,
    NextHop,
    Precedent,
    Server,
    Splice,
    SynCookies,
    Tuple4,
    Volume,
)


@dataclass(frozen=True, slots=True)
class Closed:
    """Both FINs of a splice were acknowledged, or a RST passed (`reset`)."""

    flow: Flow
    reset: bool
    by: Direction | None = None
    """Which way the RST went: TO_CLIENT for one of the server; None for FINs, and where it is not known."""


@dataclass(frozen=True, slots=True)
class Idle:
    """A splice carried no packet for at least `seconds`."""

    flow: Flow
    seconds: float


@dataclass(frozen=True, slots=True)
class Admitted:
    """A connection that the fast path has let in, and that is the slow path's from now on, as if that had installed it.

    `lead` is the upper eleven bits of the cookie that its client was given (`slowpath.tcp.cookie`). Of one that was
    let in to be `routed`, `followed` says how far it has come.
    """

    splice: Splice
    label: int
    lead: int
    followed: Followed | None


@dataclass(slots=True)
class Batch:
    """What arrived from the fast path since the last batch; punts keep their order of arrival."""

    punts: list[Punt] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    idle: list[Idle] = field(default_factory=list)
    admitted: list[Admitted] = field(default_factory=list)
    """Connections that have lasted for a while; most are over before, and only counted."""


class FastPath(Protocol):
    """A target that forwards spliced packets.

    Every method is all-or-nothing: one that raises a FastPathError has changed nothing. A fast path
    is ready once constructed by its own `open`, and forwards nothing after `close`.
    """

    @property
    def limits(self) -> Limits:
        """What this target can do."""

    async def configure(
        self, listeners: Sequence[Listener], servers: Sequence[Server], next_hops: Sequence[NextHop]
    ) -> None:
        """Make these the VIPs, servers and routes; callable again while traffic runs."""

    async def rotate(self, cookies: SynCookies) -> None:
        """Use these SYN cookie secrets; a target that does not answer SYNs ignores them."""

    async def install(self, splices: Sequence[Splice]) -> None:
        """Add splices. One whose flow is there already is replaced. Raises TableFull."""

    async def update(self, splices: Sequence[Splice]) -> None:
        """Replace splices that are there; raises Rejected if one is not.

        Where precedents have moved a pivot further than an update that changes it alone, it stays there.
        """

    async def remove(self, flows: Sequence[Flow]) -> None:
        """Remove splices; a flow that is not there is passed over."""

    async def withdraw(self, flows: Sequence[Flow]) -> None:
        """Remove splices whose connections go on in the slow path: the packets of their servers become *expected*.

        They are so before the records are gone, for as long as those that `EXPECT_REPLY` asks for.
        """

    async def set_precedents(self, precedents: Sequence[Precedent]) -> None:
        """Have splices follow these as well, until their time is up; one that finds no room is not followed."""

    async def set_admissions(self, admissions: Sequence[Admission]) -> None:
        """Let connections in by these as well, until their time is up; one that finds no room is passed over.

        One that was set before with the same VIP and head is replaced; if that had the same servers, their turns go on.
        """

    async def revoke_precedents(self) -> None:
        """Follow no precedent and no admission of those that were set so far."""

    def hand_over(self, match: Tuple4) -> Admitted | None:
        """Hand over the connection with packets of this 4-tuple, from either side, that was let in.

        None if there is none, or its server has yet to accept, or it has ended.
        """

    def followed(self, flow: Flow) -> Followed | None:
        """How far precedents have moved the pivot of a splice; None if they have not.

        They have not on a target that follows none, and of a splice that is not there. Where the slow path has moved
        the pivot since, it is the slow path's, and the rest is old.
        """

    def last_seen(self, flow: Flow, direction: Direction) -> float | None:
        """When a packet of the splice was last sent on in this direction, in seconds of the monotonic clock.

        None where that is not known: on a target that does not keep it, and of a splice that is not there.
        """

    def traffic(self, flows: Sequence[Flow]) -> Sequence[tuple[Volume, Volume] | None]:
        """What each splice has carried since it was installed, by Direction; an update of the pivot alone keeps it.

        None where that is not known: on a target that does not count it, and of a splice that is not there.
        """

    def inject(self, frames: Iterable[bytes]) -> None:
        """Send frames of `fastpath.frame` in order; one that finds no room is lost, as on a wire, and counted."""

    def events(self) -> AsyncIterator[Batch]:
        """Punted frames and reports, one batch at a time; ends after `close`."""

    def splices(self) -> Iterable[Splice]:
        """Read every record back."""

    def counters(self) -> Counters:
        """A snapshot of the counters."""

    async def close(self) -> None:
        """Detach and remove every record; idempotent."""
