"""The retransmission timer (RFC 6298), with times in seconds."""

from __future__ import annotations

MINIMUM_RTO = 0.2
"""Below RFC 6298's 1 s as Linux has it: the peers are a network away, not a continent."""

MAXIMUM_RTO = 60.0
_GRANULARITY = 0.001


class RetransmissionTimer:
    """Estimates the RTO from round trips and backs it off on every expiry."""

    __slots__ = ("_rttvar", "_srtt", "attempts", "deadline", "rto")

    def __init__(self, initial_rto: float) -> None:
        self.rto = initial_rto
        self.attempts = 0
        """Expiries since the last new acknowledgment."""
        self.deadline: float | None = None
        self._srtt = 0.0
        self._rttvar = 0.0

    def start(self, now: float) -> None:
        """Start, or restart, the timer (rules 5.1 and 5.3)."""
        self.deadline = now + self.rto

    def stop(self) -> None:
        """Everything is acknowledged (rule 5.2)."""
        self.deadline = None
        self.attempts = 0

    def expired(self, now: float) -> bool:
        """Whether to retransmit now; if so the RTO doubles and the timer restarts (rules 5.4 to 5.6)."""
        if self.deadline is None or now < self.deadline:
            return False
        self.attempts += 1
        self.rto = min(self.rto * 2, MAXIMUM_RTO)
        self.start(now)
        return True

    def measured(self, round_trip: float) -> None:
        """Take a round trip of a segment that was sent once (section 2, Karn's rule in section 3)."""
        if self._srtt == 0.0:
            self._srtt, self._rttvar = round_trip, round_trip / 2
        else:
            self._rttvar += (abs(self._srtt - round_trip) - self._rttvar) / 4
            self._srtt += (round_trip - self._srtt) / 8
        self.rto = min(max(self._srtt + max(_GRANULARITY, 4 * self._rttvar), MINIMUM_RTO), MAXIMUM_RTO)
        self.attempts = 0
