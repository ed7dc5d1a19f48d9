"""Slow start: a server that has come up gets its share of connections little by little."""

from __future__ import annotations

from collections.abc import Iterable

from slowpath.balancing.member import Member

FIRST_RAMP = 0.1
"""The part of its weight that a server begins with."""


def hold_back(member: Member) -> None:
    """A newcomer to servers that are at work: its start begins when it is up and first looked at."""
    member.ramp = FIRST_RAMP


def advance(members: Iterable[Member], seconds: float, now: float) -> None:
    """Set each member's `ramp` for `now`: from FIRST_RAMP to 1, linearly, in the `seconds` since it came up."""
    for member in members:
        if member.up_since is None:
            if member.ramp == 1.0 or not member.alive:
                continue
            member.up_since = now  # a newcomer
        age = now - member.up_since
        if age < seconds:
            member.ramp = FIRST_RAMP + (1 - FIRST_RAMP) * max(age, 0.0) / seconds
        else:
            member.ramp, member.up_since = 1.0, None
