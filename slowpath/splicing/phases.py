"""The life of a connection through the balancer, as a table (design section 3)."""

from __future__ import annotations

from enum import Enum


class Phase(Enum):
    """Where a connection stands: up to its join a `Session`, from JOINING on a `Junction`."""

    READING = "reading"
    """Data arrives, the request head is incomplete."""
    QUEUED = "queued"
    """Every server that it could go to is full."""
    CONNECTING = "connecting"
    """A SYN is on its way to a server."""
    SENDING = "sending"
    """The server has yet to acknowledge what we acknowledged to the client."""
    JOINING = "joining"
    """The splice is being installed."""
    SPLICED = "spliced"
    """The fast path forwards."""
    RELAYED = "relayed"
    """The fast path had no room: the slow path forwards."""
    UPGRADING = "upgrading"
    """The slow path forwards until the server has said whether it agrees to another protocol."""
    LEAVING = "leaving"
    """The next request goes to another server: the slow path forwards what this one still has to send, and ends it."""
    PARKED = "parked"
    """The server has closed between two requests; the next one goes to another."""
    ANSWERING = "answering"
    """The client gets an answer of our own."""
    LINGERING = "lingering"
    """Both ends are done; the record catches what was still on its way."""
    GONE = "gone"

    __hash__ = object.__hash__
    """By identity: the one of Enum is not written in C, and the table is looked into at every step."""


class Event(Enum):
    """What moves a connection from phase to phase."""

    ROUTED = "the head is complete and a pool was chosen"
    QUEUED = "every server is full"
    RESUMED = "a server has room"
    ANSWERED = "the balancer answers by itself"
    ACCEPTED = "the server's SYN-ACK is here, and it has to be sent what we own"
    JOINED = "client and server agree on every number; a junction takes over"
    INSTALLED = "the fast path has the splice"
    REFUSED = "the fast path has no room"
    UPGRADE = "the client has asked for another protocol"
    SETTLED = "the server has answered that"
    LEFT = "the server is not to have the next request, or has closed"
    PARKED = "the server is gone, and no request is there"
    ASKED = "the client has sent something"
    CLOSED = "both FINs were acknowledged, or a RST passed"
    FORGOTTEN = "nothing is left to do"

    __hash__ = object.__hash__


TRANSITIONS: dict[tuple[Phase, Event], Phase] = {
    (Phase.READING, Event.ROUTED): Phase.CONNECTING,
    (Phase.READING, Event.PARKED): Phase.PARKED,
    (Phase.PARKED, Event.ASKED): Phase.READING,
    (Phase.PARKED, Event.ANSWERED): Phase.ANSWERING,
    (Phase.READING, Event.ANSWERED): Phase.ANSWERING,
    (Phase.CONNECTING, Event.QUEUED): Phase.QUEUED,
    (Phase.QUEUED, Event.RESUMED): Phase.CONNECTING,
    (Phase.QUEUED, Event.ANSWERED): Phase.ANSWERING,
    (Phase.CONNECTING, Event.ANSWERED): Phase.ANSWERING,
    (Phase.CONNECTING, Event.ACCEPTED): Phase.SENDING,
    (Phase.CONNECTING, Event.JOINED): Phase.GONE,
    (Phase.SENDING, Event.JOINED): Phase.GONE,
    (Phase.SENDING, Event.ANSWERED): Phase.ANSWERING,
    (Phase.JOINING, Event.INSTALLED): Phase.SPLICED,
    (Phase.JOINING, Event.REFUSED): Phase.RELAYED,
    (Phase.JOINING, Event.CLOSED): Phase.LINGERING,
    (Phase.JOINING, Event.UPGRADE): Phase.UPGRADING,
    (Phase.UPGRADING, Event.SETTLED): Phase.JOINING,
    (Phase.UPGRADING, Event.REFUSED): Phase.RELAYED,
    (Phase.UPGRADING, Event.CLOSED): Phase.LINGERING,
    (Phase.SPLICED, Event.LEFT): Phase.LEAVING,
    (Phase.RELAYED, Event.LEFT): Phase.LEAVING,
    (Phase.SPLICED, Event.CLOSED): Phase.LINGERING,
    (Phase.RELAYED, Event.CLOSED): Phase.LINGERING,
} | {(phase, Event.FORGOTTEN): Phase.GONE for phase in Phase}
