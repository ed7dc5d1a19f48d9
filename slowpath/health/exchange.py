"""What a probe says to a server once it is connected, and how it can fail."""

from __future__ import annotations

from typing import Protocol

REASONS = ("no_route", "refused", "timeout", "reset", "closed", "malformed", "status", "body", "tls", "defect")
"""Why a probe can fail; all but `no_route`, `timeout` and `defect` (of ours) are values of `CheckFailed.reason`."""


class CheckFailed(Exception):
    """The server is not well: `reason` is one of REASONS, the text says what was seen."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Exchange(Protocol):
    """One conversation with a server, over a byte stream that somebody else carries."""

    @property
    def done(self) -> bool:
        """Whether the server has shown that it is well."""

    def start(self) -> bytes:
        """What to say first."""

    def receive(self, data: bytes) -> bytes:
        """Take the next bytes; returns what to say to them. Raises CheckFailed."""

    def ended(self) -> None:
        """The server has said all it will: that was enough if nothing is raised. Raises CheckFailed."""
