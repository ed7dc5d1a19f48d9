"""How many RSTs leave in a second for segments that belong nowhere."""

from __future__ import annotations

from siphash24 import siphash24

RESETS_PER_SECOND = 4000
"""At most: more than clients of a restarted balancer need, and a fraction of a CPU."""
_JITTER = 512


class ResetLimit:
    """A budget that is new every second, and a little different.

    A flood of segments with invented addresses costs no more than the budget. Were that exactly known, whoever
    counts the RSTs to segments of his own could tell whether others, with the addresses of a victim, have used
    some of it up, and so whether the victim has a connection (as with the challenge ACKs of RFC 5961 in CVE-2016-5696).
    """

    def __init__(self, key: bytes) -> None:
        """`key` is 16 secret bytes."""
        self._key = key
        self._second = -1
        self._left = 0

    def take(self, now: float) -> bool:
        """Whether one more may leave; `now` is seconds of the monotonic clock."""
        second = int(now)
        if second != self._second:
            self._second = second
            jitter = siphash24(second.to_bytes(8, "big"), key=self._key).intdigest() % _JITTER
            self._left = RESETS_PER_SECOND - jitter
        if self._left == 0:
            return False
        self._left -= 1
        return True
