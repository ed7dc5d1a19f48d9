"""The ejection of a server as a sequence of events and times."""

from __future__ import annotations

import pytest

from slowpath.health.ejection import TRANSITIONS, Ejection, Event, State, Times

TIMES = Times(base=10.0, longest=60.0, trial=5.0, proof=1.0)
OUT = (Event.EXCEEDED,)
ON_TRIAL = (*OUT, Event.TIME, Event.PICKED)


def after(*events: Event, now: float = 0.0) -> Ejection:
    """One that has gone through `events`, TIME when it was due and the others at once."""
    ejection = Ejection()
    for event in events:
        if event is Event.TIME:
            assert ejection.until is not None
            now = ejection.until
        ejection.handle(event, now, TIMES)
    return ejection


@pytest.mark.parametrize(
    ("events", "state", "until", "takes_none"),
    [
        ((), State.IN, None, False),
        ((Event.PICKED, Event.ACCEPTED, Event.FAILED), State.IN, None, False),
        (OUT, State.EJECTED, 10.0, True),
        ((*OUT, Event.PICKED, Event.ACCEPTED, Event.FAILED, Event.EXCEEDED), State.EJECTED, 10.0, True),
        ((*OUT, Event.TIME), State.READY, None, False),
        ((*OUT, Event.TIME, Event.ACCEPTED), State.READY, None, False),
        (ON_TRIAL, State.TRIAL, 15.0, True),
        ((*ON_TRIAL, Event.TIME), State.READY, None, False),
        ((*ON_TRIAL, Event.FAILED), State.EJECTED, 30.0, True),
        ((*ON_TRIAL, Event.ACCEPTED), State.PROVING, 11.0, True),
        ((*ON_TRIAL, Event.ACCEPTED, Event.FAILED), State.EJECTED, 30.0, True),
        ((*ON_TRIAL, Event.ACCEPTED, Event.TIME), State.IN, None, False),
        ((*OUT, Event.RECOVERED), State.IN, None, False),
        ((*ON_TRIAL, Event.RECOVERED), State.IN, None, False),
    ],
)
def test_states(events: tuple[Event, ...], state: State, until: float | None, takes_none: bool) -> None:
    ejection = after(*events)
    assert (ejection.state, ejection.until, ejection.takes_none) == (state, until, takes_none)


def test_every_state_is_left_by_something() -> None:
    assert {state for state, _ in TRANSITIONS} == set(State) == set(TRANSITIONS.values())


def test_ejections_get_longer_up_to_the_longest() -> None:
    ejection, now, lasted = Ejection(), 0.0, []
    ejection.handle(Event.EXCEEDED, now, TIMES)
    for _ in range(5):
        assert ejection.until is not None
        lasted.append(ejection.until - now)
        now = ejection.until
        for event in (Event.TIME, Event.PICKED, Event.FAILED):
            ejection.handle(event, now, TIMES)
    assert lasted == [10.0, 20.0, 40.0, 60.0, 60.0]


@pytest.mark.parametrize(("well", "lasts"), [(59.0, 20.0), (60.0, 10.0)])
def test_a_server_that_was_well_for_long_starts_over(well: float, lasts: float) -> None:
    ejection = after(*ON_TRIAL, Event.ACCEPTED, Event.TIME)
    now = 11.0 + well
    assert ejection.handle(Event.EXCEEDED, now, TIMES)
    assert ejection.until == now + lasts
