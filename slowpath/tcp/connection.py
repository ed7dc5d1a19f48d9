"""One TCP connection in user space, without I/O (RFC 9293, RFC 7323, RFC 6298).

It serves four ends of a balancer: a client whose request head is being read, a client that gets
one of our own answers, a server before its splice, and a server under a health check. All of them
exchange a few kilobytes, so there is no congestion window beyond the initial one (RFC 6928), and a
timeout goes back to the first unacknowledged byte.

Every call leaves the segments it wants sent in `outbox`; the caller takes them from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from slowpath.tcp.reassembly import Reassembly
from slowpath.tcp.retransmission import RetransmissionTimer
from slowpath.tcp.states import RECEIVES_DATA, TRANSITIONS, Event, State
from slowpath.wire import sequence as seq
from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from slowpath.wire.tcp import Segment

INITIAL_WINDOW_SEGMENTS: Final = 10
"""What may be in flight, in segments (RFC 6928)."""

MAXIMUM_RETRIES = 6
"""Timeouts in a row after which the peer is given up."""

TIME_WAIT_SECONDS = 1.0
"""Far below 2 MSL: the state only answers a FIN whose ACK was lost; a SYN never reaches it."""

LEAST_MSS = 512
"""What segments are not made shorter than for the sake of a path, in bytes with TCP options."""

_DEFAULT_MSS: Final = 536
_MAXIMUM_WINDOW: Final = 0xFFFF


@dataclass(slots=True, init=False)
class Parameters:
    """What the two ends of a connection agreed on.

    `iss` and `irs` are the initial sequence numbers (RFC 9293 section 3.3.1), `mss` bounds the bytes
    in a segment that we send, the scales are shifts: `send_scale` for windows that arrive,
    `receive_scale` for ours.
    """

    iss: int
    irs: int = 0
    mss: int = _DEFAULT_MSS
    send_scale: int = 0
    receive_scale: int = 0
    timestamps: bool = False

    def __init__(
        self,
        iss: int,
        irs: int = 0,
        mss: int = _DEFAULT_MSS,
        send_scale: int = 0,
        receive_scale: int = 0,
        timestamps: bool = False,
    ) -> None:
        # Written out, as is Segment's: a compiled class has a fast one only so.
        self.iss = iss
        self.irs = irs
        self.mss = mss
        self.send_scale = send_scale
        self.receive_scale = receive_scale
        self.timestamps = timestamps


class Connection:
    """A TCP connection between `local` and `remote`; made by `accepted` or `connecting`.

    With `withhold` set, what arrives is not acknowledged until `acknowledge` is called: the bytes
    stay the peer's to retransmit. `rto` is the initial retransmission timeout in seconds,
    `receive_limit` bounds the received bytes that are held.
    """

    def __init__(
        self, local: Endpoint, remote: Endpoint, parameters: Parameters, *, rto: float, receive_limit: int
    ) -> None:
        self.local = local
        self.remote = remote
        self.parameters = parameters
        self.state = State.ESTABLISHED
        self.outbox: list[Segment] = []
        self.inbox = Reassembly(seq.add(parameters.irs, 1), receive_limit)
        self.withhold = False
        self.reset = False
        """Whether the connection ended by a RST from the peer."""
        self.syn_ack: Segment | None = None
        """The peer's SYN-ACK, once it has arrived."""
        self.fixed_tsval: int | None = None
        """The TSval to send instead of the clock's, where the peer knows another end's timestamps."""
        self.last_tsval = 0
        """The last TSval sent, or known to be sent."""
        self.ts_recent = 0
        self.snd_una = self._snd_nxt = self._snd_max = seq.add(parameters.iss, 1)
        self._snd_wnd = _MAXIMUM_WINDOW
        self._buffer = bytearray()  # starts at snd_una
        self._closing = False
        self._syn: Segment | None = None
        self._acked = self.inbox.next  # the ACK number the peer has seen last
        self._timer = RetransmissionTimer(rto)
        self._timed: tuple[int, float] | None = None
        self._time_wait_until: float | None = None

    @staticmethod
    def accepted(
        local: Endpoint, remote: Endpoint, parameters: Parameters, *, rto: float, receive_limit: int
    ) -> Connection:
        """A connection whose handshake is complete: the peer acknowledged our SYN-ACK."""
        return Connection(local, remote, parameters, rto=rto, receive_limit=receive_limit)

    @staticmethod
    def connecting(syn: Segment, now: float, *, rto: float, receive_limit: int) -> Connection:
        """An active open with `syn`, whose options are the ones asked for; it is resent as it is."""
        self = Connection(syn.source, syn.destination, Parameters(syn.sequence), rto=rto, receive_limit=receive_limit)
        self.state = State.SYN_SENT
        self._syn = syn
        self._send_syn(now)
        return self

    @property
    def deadline(self) -> float | None:
        """When `tick` has something to do, on the clock of `now`."""
        return self._time_wait_until if self.state is State.TIME_WAIT else self._timer.deadline

    @property
    def all_acked(self) -> bool:
        """Whether the peer has acknowledged everything that was sent or buffered."""
        return not self._buffer

    def has_sent(self, acknowledgment: int) -> bool:
        """Whether this ACK number is of something that was sent: our SYN at least."""
        iss = self.parameters.iss
        return 0 < seq.difference(acknowledgment, iss) <= seq.difference(self._snd_max, iss)

    # What the user calls (RFC 9293 section 3.10)

    def send(self, data: bytes, now: float) -> None:
        """Queue `data` and send what the window allows."""
        self._buffer += data
        self._transmit(now)

    def close(self, now: float) -> None:
        """Send a FIN after what is queued; received data is still acknowledged, and then discarded by the caller."""
        if (self.state, Event.CLOSE) in TRANSITIONS:
            self._closing = True
            self._move(Event.CLOSE)
            self._transmit(now)

    def abort(self, now: float) -> None:
        """Send a RST and forget the connection."""
        if self.state not in (State.CLOSED, State.SYN_SENT):
            self._emit(tcp.RST | tcp.ACK, self._snd_nxt, b"", now)
        self._move(Event.RESET)

    def acknowledge(self, now: float, end: int | None = None) -> None:
        """Acknowledge all bytes that arrived in order, which are ours from here on; a FIN stays the peer's to repeat.

        With `end` only those before that sequence number.
        """
        arrived = seq.add(self.inbox.next, -1) if self.inbox.finished else self.inbox.next
        self._acked = arrived if end is None else end
        self._emit(tcp.ACK, self._snd_nxt, b"", now)

    def tick(self, now: float) -> None:
        """Do what is due: retransmit, give up, or leave TIME-WAIT."""
        if self.state is State.TIME_WAIT:
            if self._time_wait_until is not None and now >= self._time_wait_until:
                self._move(Event.EXPIRED)
            return
        if not self._timer.expired(now):
            return
        if self._timer.attempts > MAXIMUM_RETRIES:
            self._move(Event.EXPIRED)
            return
        self._timed = None
        if self.state is State.SYN_SENT:
            self._send_syn(now)
        else:
            self._snd_nxt = self.snd_una
            self._transmit(now, probe=True)

    def shorten(self, sequence: int, mss: int, now: float) -> None:
        """The segment at `sequence` was too long for the path, which takes `mss` bytes: send anew what is in flight.

        Nothing is done about a segment that is not in flight (RFC 5927 section 4.1), and none gets shorter than
        LEAST_MSS, lest a forged error makes us send bytes one by one.
        """
        mss = max(mss, LEAST_MSS)
        in_flight = 0 <= seq.difference(sequence, self.snd_una) < seq.difference(self._snd_max, self.snd_una)
        if in_flight and mss < self.parameters.mss:
            self.parameters.mss = mss
            self._timed = None
            self._snd_nxt = self.snd_una
            self._transmit(now)

    # Segment arrives (RFC 9293 section 3.10.7)

    def receive(self, segment: Segment, now: float) -> None:
        """Process one segment from the peer."""
        if self.state is State.CLOSED:
            return
        if self.state is State.SYN_SENT:
            self._receive_in_syn_sent(segment, now)
            return
        if segment.flags & tcp.RST:
            # RFC 5961 section 3.2. A RST that answers one of our segments has the ACK number we sent as its SEQ.
            if segment.sequence in (self.inbox.next, self._acked):
                self.reset = True
                self._move(Event.RESET)
            return
        if segment.flags & tcp.SYN or not self._acceptable(segment):
            self._emit(tcp.ACK, self._snd_nxt, b"", now)  # RFC 5961 section 4.2, RFC 9293 section 3.10.7.4
            return
        if not segment.flags & tcp.ACK:
            return
        self._note_timestamps(segment)
        if not self._take_acknowledgment(segment, now):
            return
        sent = len(self.outbox)
        self._take_data(segment, now)
        self._transmit(now)
        if segment.length and not self.withhold and len(self.outbox) == sent:
            self._emit(tcp.ACK, self._snd_nxt, b"", now)

    def _receive_in_syn_sent(self, segment: Segment, now: float) -> None:
        """RFC 9293 section 3.10.7.3, without simultaneous open."""
        syn = self._syn
        acceptable = segment.flags & tcp.ACK and segment.acknowledgment == self.snd_una
        if syn is None:
            return
        if segment.flags & tcp.RST:
            if acceptable:
                self.reset = True
                self._move(Event.RESET)
        elif segment.flags & tcp.ACK and not acceptable:
            # The peer still has an old connection, perhaps in TIME-WAIT: end that one and ask again at once.
            self.outbox.append(Segment(self.local, self.remote, segment.acknowledgment, 0, tcp.RST, 0, Options()))
            self._send_syn(now)
        elif segment.flags & tcp.SYN and acceptable:
            self._establish(syn, segment)

    def _establish(self, syn: Segment, segment: Segment) -> None:
        asked, given, parameters = syn.options, segment.options, self.parameters
        parameters.irs = segment.sequence
        parameters.mss = given.mss or _DEFAULT_MSS
        if asked.window_scale is not None and given.window_scale is not None:
            parameters.send_scale, parameters.receive_scale = given.window_scale, asked.window_scale
        parameters.timestamps = asked.timestamps is not None and given.timestamps is not None
        self.syn_ack = segment
        self._snd_wnd = segment.window  # unscaled in a SYN (RFC 7323 section 2.2)
        if given.timestamps is not None:
            self.ts_recent = given.timestamps[0]
        self.inbox.next = self._acked = seq.add(segment.sequence, 1)
        self._timer.stop()
        self._move(Event.SYN_ACK)

    def _acceptable(self, segment: Segment) -> bool:
        """The window test of RFC 9293 section 3.10.7.4 and PAWS (RFC 7323 section 5.3)."""
        stamps = segment.options.timestamps
        if self.parameters.timestamps and stamps is not None and seq.before(stamps[0], self.ts_recent):
            return False
        offset = seq.difference(segment.sequence, self.inbox.next)
        # Withheld data is sent again from its start: everything since the last ACK is expected.
        first = seq.difference(self._acked, self.inbox.next)
        return offset <= self.inbox.window and (offset >= first or (offset + segment.length > first))

    def _note_timestamps(self, segment: Segment) -> None:
        stamps = segment.options.timestamps
        if stamps is None:
            return
        if not seq.after(segment.sequence, self._acked):  # RFC 7323 section 4.3 (2)
            self.ts_recent = stamps[0]
        if seq.after(stamps[1], self.last_tsval):
            self.last_tsval = stamps[1]

    def _take_acknowledgment(self, segment: Segment, now: float) -> bool:
        """Advance SND.UNA; False for an ACK of something never sent."""
        ack = segment.acknowledgment
        if seq.after(ack, self._snd_max):
            self._emit(tcp.ACK, self._snd_nxt, b"", now)
            return False
        acked = seq.difference(ack, self.snd_una)
        if acked >= 0:
            self._snd_wnd = segment.window << self.parameters.send_scale
        if acked <= 0:
            return True
        fin_acked = acked > len(self._buffer)
        del self._buffer[:acked]
        self.snd_una = ack
        if seq.before(self._snd_nxt, ack):
            self._snd_nxt = ack
        if self._timed is not None and not seq.before(ack, self._timed[0]):
            self._timer.measured(now - self._timed[1])
            self._timed = None
        self._timer.stop()
        if ack != self._snd_max:
            self._timer.start(now)
        if fin_acked:
            self._closing = False
            self._move(Event.FIN_ACKED, now)
        return True

    def _take_data(self, segment: Segment, now: float) -> None:
        if self.state not in RECEIVES_DATA:
            return
        fin = bool(segment.flags & tcp.FIN)
        if segment.payload or fin:
            self.inbox.add(segment.sequence, segment.payload, fin=fin)
        if not self.withhold:
            self._acked = self.inbox.next
        if self.inbox.finished:
            self._move(Event.FIN, now)

    def _move(self, event: Event, now: float = 0.0) -> None:
        state = TRANSITIONS.get((self.state, event))
        if state is None:
            return
        self.state = state
        if state is State.TIME_WAIT:
            self._time_wait_until = now + TIME_WAIT_SECONDS
        elif state is State.CLOSED:
            self._timer.stop()

    # Sending

    def _transmit(self, now: float, *, probe: bool = False) -> None:
        """Send what the windows allow; a `probe` may go one segment past a closed one (RFC 9293 section 3.8.6.1)."""
        if self.state in (State.SYN_SENT, State.CLOSED):
            return
        if self._buffer or self._closing:
            self._fill_window(now, probe)
        if self._timer.deadline is None and (self._buffer or self._snd_max != self.snd_una):
            self._timer.start(now)

    def _fill_window(self, now: float, probe: bool) -> None:
        """Send what there is, a FIN behind it included, as far as the windows go."""
        mss = self.parameters.mss - (12 if self.parameters.timestamps else 0)
        window = max(min(self._snd_wnd, INITIAL_WINDOW_SEGMENTS * mss), mss if probe else 0)
        end = len(self._buffer)
        while True:
            offset = seq.difference(self._snd_nxt, self.snd_una)
            length = min(mss, end - offset, window - offset)
            fin = self._closing and offset + max(length, 0) == end
            if offset > end or (length <= 0 and not fin):
                break
            length = max(length, 0)
            payload = bytes(self._buffer[offset : offset + length])
            flags = tcp.ACK | (tcp.PSH if payload else 0) | (tcp.FIN if fin else 0)
            if not self.withhold:
                self._acked = self.inbox.next
            self._emit(flags, self._snd_nxt, payload, now)
            self._snd_nxt = seq.add(self._snd_nxt, length + fin)
            if seq.after(self._snd_nxt, self._snd_max):
                self._snd_max = self._snd_nxt
                self._timed = self._timed or (self._snd_nxt, now)

    def _send_syn(self, now: float) -> None:
        if self._syn is not None:
            self.outbox.append(self._syn)
            if self._timer.deadline is None:
                self._timer.start(now)

    def _emit(self, flags: int, sequence: int, payload: bytes, now: float) -> None:
        options = Options()
        if self.parameters.timestamps:
            self.last_tsval = milliseconds(now) if self.fixed_tsval is None else self.fixed_tsval
            options = Options(timestamps=(self.last_tsval, self.ts_recent))
        window = min(self.inbox.window >> self.parameters.receive_scale, _MAXIMUM_WINDOW)
        self.outbox.append(Segment(self.local, self.remote, sequence, self._acked, flags, window, options, payload))


def milliseconds(now: float) -> int:
    """The TSval clock (RFC 7323 section 5.4): milliseconds of the monotonic clock modulo 2^32."""
    return int(now * 1000) & seq.MASK
