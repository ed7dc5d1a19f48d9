"""What the splicing engine tells of the servers it connects to: passive health checks listen."""

from __future__ import annotations

from typing import Protocol

from slowpath.balancing.member import Member


class Observer(Protocol):
    """Hears how clients' connections to servers fare; `now` is seconds of the monotonic clock."""

    def connecting(self, member: Member, now: float) -> None:
        """A SYN is on its way to the server."""

    def connected(self, member: Member, seconds: float, now: float) -> None:
        """The server accepted, `seconds` after the first SYN."""

    def failed(self, member: Member, reason: str, now: float) -> None:
        """The connect failed: `reason` is one of those of `Statistics.connect_failures`."""

    def ended(self, member: Member, seconds: float, now: float, *, reset: bool) -> None:
        """A joined connection has ended `seconds` after its SYN to the server; `reset`: by a RST of the server."""


class _Unobserved:
    """Nobody listens."""

    def connecting(self, member: Member, now: float) -> None:
        """See Observer."""

    def connected(self, member: Member, seconds: float, now: float) -> None:
        """See Observer."""

    def failed(self, member: Member, reason: str, now: float) -> None:
        """See Observer."""

    def ended(self, member: Member, seconds: float, now: float, *, reset: bool) -> None:
        """See Observer."""


UNOBSERVED: Observer = _Unobserved()
"""Where nothing is configured to be observed."""
