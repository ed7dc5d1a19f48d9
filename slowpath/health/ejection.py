"""The ejection of one server by passive checks, as a table: out for a while, one connection on trial, back in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """Where a server stands."""

    IN = "in"
    """It takes connections."""
    EJECTED = "ejected"
    """It takes none until its time is over."""
    READY = "ready"
    """It takes one."""
    TRIAL = "trial"
    """That one is being connected."""
    PROVING = "proving"
    """That one was accepted, and has yet to show that it stays."""


class Event(Enum):
    """What moves a server from state to state."""

    EXCEEDED = "too many failures in a row"
    TIME = "the time of the state is over"
    PICKED = "a connection is on its way"
    ACCEPTED = "the server accepted one"
    FAILED = "the server refused one, was silent, slow, or reset it"
    RECOVERED = "probes found the server well again after it was down"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.IN, Event.EXCEEDED): State.EJECTED,
    (State.EJECTED, Event.TIME): State.READY,
    (State.READY, Event.PICKED): State.TRIAL,
    (State.READY, Event.FAILED): State.EJECTED,  # A trial that took longer than it should.
    (State.TRIAL, Event.ACCEPTED): State.PROVING,
    (State.TRIAL, Event.FAILED): State.EJECTED,
    (State.TRIAL, Event.TIME): State.READY,  # The client went away before anybody knew.
    (State.PROVING, Event.FAILED): State.EJECTED,
    (State.PROVING, Event.TIME): State.IN,
} | {(state, Event.RECOVERED): State.IN for state in State if state is not State.IN}
"""What is not here leaves the state as it is: connections from before an ejection still come to their ends."""

_MOST_DOUBLINGS = 32

TAKES_NONE = frozenset({State.EJECTED, State.TRIAL, State.PROVING})


@dataclass(frozen=True, slots=True)
class Times:
    """In seconds; an ejection lasts `base`, twice as long each time, `longest` at most."""

    base: float = 10.0
    longest: float = 300.0
    trial: float = 5.0
    """For a connection on trial to be accepted or not."""
    proof: float = 1.0
    """For an accepted connection to show that it stays."""


class Ejection:
    """The state of one server; `now` is seconds of the monotonic clock."""

    def __init__(self) -> None:
        self.state = State.IN
        self.until: float | None = None
        """When TIME comes, if it does."""
        self._repeated = 0
        """Ejections so far that make the next one longer."""
        self._came_back: float | None = None
        """When the server was last found well, if it has not been ejected since."""

    @property
    def takes_none(self) -> bool:
        """Whether no connection may be sent to the server."""
        return self.state in TAKES_NONE

    def handle(self, event: Event, now: float, times: Times) -> bool:
        """Go to the next state; True if that is an ejection."""
        state = TRANSITIONS.get((self.state, event))
        if state is None:
            return False
        self.state = state
        durations = {State.TRIAL: times.trial, State.PROVING: times.proof}
        if state is State.EJECTED:
            durations[state] = self._duration(now, times)
        elif state is State.IN:
            self._came_back = now
        self.until = now + durations[state] if state in durations else None
        return state is State.EJECTED

    def _duration(self, now: float, times: Times) -> float:
        """Twice as long as the last one, unless the server was well for the longest time that one can last."""
        if self._came_back is not None and now - self._came_back >= times.longest:
            self._repeated = 0
        seconds = min(times.base * float(1 << min(self._repeated, _MOST_DOUBLINGS)), times.longest)
        self._came_back = None
        self._repeated += 1
        return seconds
