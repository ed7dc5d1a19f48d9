"""The TCP state machine as a table (RFC 9293 section 3.3.2).

LISTEN and SYN-RECEIVED are missing: SYN cookies keep no state for them, so that an accepted
connection starts in ESTABLISHED.
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """A state of RFC 9293."""

    SYN_SENT = "SYN-SENT"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT_1 = "FIN-WAIT-1"
    FIN_WAIT_2 = "FIN-WAIT-2"
    CLOSE_WAIT = "CLOSE-WAIT"
    CLOSING = "CLOSING"
    LAST_ACK = "LAST-ACK"
    TIME_WAIT = "TIME-WAIT"
    CLOSED = "CLOSED"

    __hash__ = object.__hash__
    """By identity: the one of Enum is not written in C, and the table is looked into at every step."""


class Event(Enum):
    """What moves a connection from state to state."""

    SYN_ACK = "an acceptable SYN-ACK arrived"
    CLOSE = "the user closed"
    FIN = "the peer's FIN arrived in order"
    FIN_ACKED = "our FIN was acknowledged"
    RESET = "a RST arrived or was sent"
    EXPIRED = "2 MSL passed, or retransmission was given up"

    __hash__ = object.__hash__


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.SYN_SENT, Event.SYN_ACK): State.ESTABLISHED,
    (State.ESTABLISHED, Event.CLOSE): State.FIN_WAIT_1,
    (State.ESTABLISHED, Event.FIN): State.CLOSE_WAIT,
    (State.CLOSE_WAIT, Event.CLOSE): State.LAST_ACK,
    (State.FIN_WAIT_1, Event.FIN_ACKED): State.FIN_WAIT_2,
    (State.FIN_WAIT_1, Event.FIN): State.CLOSING,
    (State.FIN_WAIT_2, Event.FIN): State.TIME_WAIT,
    (State.CLOSING, Event.FIN_ACKED): State.TIME_WAIT,
    (State.LAST_ACK, Event.FIN_ACKED): State.CLOSED,
} | {(state, event): State.CLOSED for state in State for event in (Event.RESET, Event.EXPIRED)}

RECEIVES_DATA = frozenset({State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2})
"""States in which the peer may still send data."""
