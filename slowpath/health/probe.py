"""The probes of one server: one at every interval, each a connection of our own TCP."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from fastpath.records import Offer
from slowpath.balancing.member import Member
from slowpath.health.exchange import CheckFailed, Exchange
from slowpath.health.http_check import HttpCheck, HttpExchange
from slowpath.health.offer import learned
from slowpath.health.tls_check import TlsCheck, TlsExchange
from slowpath.health.verdict import Hysteresis, Verdict
from slowpath.tcp.connection import Connection, milliseconds
from slowpath.tcp.states import State
from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.ip import IPV4, IPV6, family_of
from slowpath.wire.options import Options
from slowpath.wire.tcp import Segment

_RTO = 0.2
_RECEIVE_LIMIT = 32768
_MSS, _WINDOW_SCALE = {IPV4.version: 1460, IPV6.version: 1440}, 7
"""The MSS is that of Ethernet, by IP version."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How a pool's servers are probed; times in seconds.

    A probe is a TCP handshake, then with `tls` one of TLS, then with `http` a request and its response.
    `port` is probed instead of the server's own if it is not None. `preamble` comes before everything
    else that a probe says, if it says anything.
    """

    http: HttpCheck | None = None
    tls: TlsCheck | None = None
    port: int | None = None
    preamble: bytes = b""
    interval: float = 2.0
    timeout: float = 1.0
    hysteresis: Hysteresis = field(default_factory=Hysteresis)

    def exchange(self, server: Endpoint) -> Exchange | None:
        """What there is to say to `server` once it is connected."""
        http = HttpExchange(self.http, str(server)) if self.http is not None else None
        return TlsExchange(self.tls, http) if self.tls is not None else http


class Probe:
    """Probes one member, whose `up` it keeps; the caller moves segments and time."""

    def __init__(self, member: Member, policy: Policy) -> None:
        self.member = member
        self.policy = policy
        self.verdict = Verdict()
        self.offer: Offer | None = None
        """What the server's last SYN-ACK showed."""
        self.why = ""
        """What was wrong with the last probe; empty if nothing."""
        self.failures: Counter[str] = Counter()
        """Probes that failed, by reason (`exchange.REASONS`)."""
        self.connection: Connection | None = None
        self.deadline = 0.0
        """When `advance` has something to do."""
        self._exchange: Exchange | None = None
        self._started = 0.0

    @property
    def checked(self) -> bool:
        """Whether a first probe has ended."""
        return self.verdict.checked

    @property
    def target(self) -> Endpoint:
        """Where the next probe goes."""
        server, port = self.member.endpoint, self.policy.port
        return server if port is None else Endpoint(server.address, port)

    def advance(self, now: float, source: Endpoint, isn: int) -> None:
        """Start a probe from `source` with the initial sequence number `isn`, or deal with a time that has come."""
        if self.connection is None:
            self._start(now, source, isn)
        elif now >= self._started + self.policy.timeout:
            stage = "no SYN-ACK" if self.connection.state is State.SYN_SENT else "no response"
            self._fail("timeout", f"{stage} within {self.policy.timeout:g} s", now)
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
        try:
            if connection.state is State.CLOSED:
                raise CheckFailed(*(("refused", "connection refused") if connecting else ("reset", "connection reset")))
            if connecting and connection.syn_ack is not None:
                self.offer = learned(connection.syn_ack)
                self._greet(connection, now)
            elif not connecting:
                self._listen(connection, now)
        except CheckFailed as failure:
            self._fail(failure.reason, str(failure), now)

    def unreachable(self, now: float) -> None:
        """There is no way to send a probe that is due."""
        self._started = now
        self._fail("no_route", "no route to the server", now)

    def abandon(self, now: float) -> None:
        """A defect of ours keeps the probe from its end."""
        self._started = now
        self._fail("defect", "the probe failed inside l7lb: see its log", now)

    def _start(self, now: float, source: Endpoint, isn: int) -> None:
        # Ask for everything, to learn what the server has.
        mss = _MSS[family_of(source.address).version]
        options = Options(mss, _WINDOW_SCALE, sack_permitted=True, timestamps=(milliseconds(now), 0))
        flags = tcp.SYN | tcp.ECE | tcp.CWR
        syn = Segment(source, self.target, isn, 0, flags, 0xFFFF, options)
        self.connection = Connection.connecting(syn, now, rto=_RTO, receive_limit=_RECEIVE_LIMIT)
        self._exchange = self.policy.exchange(self.member.endpoint)
        self._started = now
        self._schedule()

    def _greet(self, connection: Connection, now: float) -> None:
        if self._exchange is None:
            self._end(now)
        else:
            connection.send(self.policy.preamble + self._exchange.start(), now)
            self._schedule()

    def _listen(self, connection: Connection, now: float) -> None:
        exchange = self._exchange
        assert exchange is not None, "a probe without an exchange ends with its handshake"
        data = connection.inbox.take()
        if data and (answer := exchange.receive(data)):
            connection.send(answer, now)
        if connection.inbox.finished and not exchange.done:
            exchange.ended()
        if exchange.done or connection.inbox.finished:
            self._end(now)
        else:
            self._schedule()

    def _schedule(self) -> None:
        timeout = self._started + self.policy.timeout
        retransmission = self.connection.deadline if self.connection is not None else None
        self.deadline = timeout if retransmission is None else min(timeout, retransmission)

    def _fail(self, reason: str, text: str, now: float) -> None:
        self.failures[reason] += 1
        self._end(now, text)

    def _end(self, now: float, why: str = "") -> None:
        """Judge the probe; a RST spares the server a TIME-WAIT for each."""
        if self.connection is not None:
            self.connection.abort(now)
        self.why = why
        self.deadline = self._started + self.policy.interval
        first = not self.verdict.checked
        self.verdict.judge(not why, now, self.policy.hysteresis)
        if self.verdict.up and not self.member.up and not first:
            self.member.up_since = now
        self.member.up = self.verdict.up

    def take_segments(self) -> list[Segment]:
        """What is to be sent; a connection that has ended is dropped with its last segments."""
        if self.connection is None:
            return []
        segments, self.connection.outbox = self.connection.outbox, []
        if self.connection.state is State.CLOSED:
            self.connection = None
        return segments
