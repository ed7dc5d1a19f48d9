"""The health of one server: a probe at every interval, a verdict after several in a row."""

from __future__ import annotations

from dataclasses import dataclass

from fastpath.records import Offer
from slowpath.balancing.member import Member
from slowpath.health.offer import learned
from slowpath.http.response import MalformedResponse, ResponseReader
from slowpath.tcp.connection import Connection, milliseconds
from slowpath.tcp.states import State
from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from slowpath.wire.tcp import Segment

_RTO = 0.2
_RECEIVE_LIMIT = 32768
_MSS, _WINDOW_SCALE = 1460, 7
_HEALTHY = range(200, 400)


@dataclass(frozen=True, slots=True)
class Policy:
    """How a pool's servers are probed; times in seconds.

    With `path` a probe is a GET that has to be answered with 2xx or 3xx, without it a TCP handshake.
    A server that is down needs `rise` good probes in a row to come up, one that is up `fall` bad
    ones to go down; the very first probe decides alone.
    """

    path: str | None = None
    host: str | None = None
    interval: float = 2.0
    timeout: float = 1.0
    rise: int = 2
    fall: int = 3


class Probe:
    """Probes one member, whose `up` it keeps; the caller moves segments and time."""

    def __init__(self, member: Member, policy: Policy) -> None:
        self.member = member
        self.policy = policy
        self.offer: Offer | None = None
        """What the server's last SYN-ACK showed."""
        self.checked = False
        """Whether a first probe has ended."""
        self.why = ""
        """What was wrong with the last probe; empty if nothing."""
        self.connection: Connection | None = None
        self.deadline = 0.0
        """When `advance` has something to do."""
        self._in_a_row = 0
        self._reader = ResponseReader()
        self._started = 0.0

    def advance(self, now: float, source: Endpoint, isn: int) -> None:
        """Start a probe from `source` with the initial sequence number `isn`, or deal with a time that has come."""
        if self.connection is None:
            self._start(now, source, isn)
        elif now >= self._started + self.policy.timeout:
            stage = "no SYN-ACK" if self.connection.state is State.SYN_SENT else "no response"
            self._end(f"{stage} within {self.policy.timeout:g} s", now)
        else:
            self.connection.tick(now)
            self._schedule()

    def receive(self, segment: Segment, now: float) -> None:
        """Process a segment from the server."""
        connection = self.connection
        if connection is None:
            return
        connecting = connection.state is State.SYN_SENT
        connection.receive(segment, now)
        if connection.state is State.CLOSED:
            self._end("connection refused" if connecting else "connection reset", now)
        elif connecting and connection.syn_ack is not None:
            self.offer = learned(connection.syn_ack)
            if self.policy.path is None:
                self._end("", now)
            else:
                connection.send(self._request(self.policy.path), now)
                self._schedule()
        elif not connecting:
            self._read(connection, now)

    def unreachable(self, now: float) -> None:
        """There is no way to send a probe that is due."""
        self._started = now
        self._end("no route to the server", now)

    def _start(self, now: float, source: Endpoint, isn: int) -> None:
        # Ask for everything, to learn what the server has.
        options = Options(_MSS, _WINDOW_SCALE, sack_permitted=True, timestamps=(milliseconds(now), 0))
        flags = tcp.SYN | tcp.ECE | tcp.CWR
        syn = Segment(source, self.member.endpoint, isn, 0, flags, 0xFFFF, options)
        self.connection = Connection.connecting(syn, now, rto=_RTO, receive_limit=_RECEIVE_LIMIT)
        self._reader = ResponseReader()
        self._started = now
        self._schedule()

    def _read(self, connection: Connection, now: float) -> None:
        try:
            status = self._reader.feed(connection.inbox.take())
        except MalformedResponse as error:
            self._end(str(error), now)
            return
        if status is not None:
            self._end("" if status in _HEALTHY else f"status {status}", now)
        elif connection.inbox.finished:
            self._end("closed without a response", now)
        else:
            self._schedule()

    def _request(self, path: str) -> bytes:
        host = self.policy.host or str(self.member.endpoint)
        return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: l7lb\r\nConnection: close\r\n\r\n".encode()

    def _schedule(self) -> None:
        timeout = self._started + self.policy.timeout
        retransmission = self.connection.deadline if self.connection is not None else None
        self.deadline = timeout if retransmission is None else min(timeout, retransmission)

    def _end(self, why: str, now: float) -> None:
        """Judge the probe; a RST spares the server a TIME-WAIT for each."""
        if self.connection is not None:
            self.connection.abort(now)
        self.why = why
        self.deadline = self._started + self.policy.interval
        good = not why
        if good == self.member.up:
            self._in_a_row = 0
        else:
            self._in_a_row += 1
        if not self.checked or self._in_a_row >= (self.policy.rise if good else self.policy.fall):
            self.member.up = good
            self._in_a_row = 0
        self.checked = True

    def take_segments(self) -> list[Segment]:
        """What is to be sent; a connection that has ended is dropped with its last segments."""
        if self.connection is None:
            return []
        segments, self.connection.outbox = self.connection.outbox, []
        if self.connection.state is State.CLOSED:
            self.connection = None
        return segments
