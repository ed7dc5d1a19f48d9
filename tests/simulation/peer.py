"""A model TCP peer, written apart from the product's TCP: go-back-N, strict about what it accepts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from slowpath.wire.tcp import ACK, FIN, PSH, RST, SYN, Segment
from tests.simulation.network import Clock

MODULUS = 1 << 32
_WINDOW = 1 << 24


def distance(a: int, b: int) -> int:
    """a - b as a signed number."""
    return (a - b + MODULUS // 2) % MODULUS - MODULUS // 2


@dataclass(frozen=True, slots=True)
class Ability:
    """What a peer's SYN or SYN-ACK says."""

    mss: int = 1460
    window_scale: int | None = 7
    sack: bool = True
    timestamps: bool = True


class Peer:
    """One end of one connection; `clock_skew` sets its timestamp clock apart from everybody else's."""

    def __init__(
        self, clock: Clock, send: Callable[[bytes], None], local: Endpoint, iss: int, ability: Ability, skew: int = 0
    ) -> None:
        self.clock, self._send, self.local, self.iss, self.ability, self._skew = clock, send, local, iss, ability, skew
        self.remote: Endpoint | None = None
        self.received = bytearray()
        self.established = self.got_fin = self.fin_acked = self.was_reset = False
        self.on_data: Callable[[], None] = lambda: None
        self.transform: Callable[[bytes], bytes] = lambda packet: packet
        """What becomes of its packets before they leave."""
        self.sack_seen = False
        self.forgives = False
        """Whether it takes ACKs for what it never sent as what is left of an earlier connection with its ports."""
        self._out = bytearray()
        self._out_base = 0  # offset of _out[0] in everything sent
        self._una = self._nxt = iss
        self._fin_queued = False
        self._rcv_nxt = 0
        self._timestamps = self.scaling = False
        self._ts_recent = 0
        self._rto = 0.2
        self._epoch = 0  # invalidates timers
        self.peer_mss = 536
        self.path_mss: int | None = None
        """What it has learned that the path takes."""
        self._limit = 10 * 1460

    # What a test does

    def connect(self, remote: Endpoint) -> None:
        self.remote = remote
        self._emit(SYN, self.iss)
        self._arm()

    def write(self, data: bytes) -> None:
        self._out += data
        self._pump()

    def shutdown(self) -> None:
        self._fin_queued = True
        self._pump()

    def abort(self) -> None:
        self._emit(RST | ACK, self._nxt)
        self.was_reset = True
        self._epoch += 1

    def vanish(self) -> None:
        """Send nothing any more, as one that has lost its power."""
        self.was_reset = True
        self._epoch += 1

    @property
    def finished(self) -> bool:
        return self.was_reset or (self.got_fin and self.fin_acked)

    # Segments

    def too_long(self, sequence: int, mss: int) -> None:
        """An error says that the segment at `sequence` does not fit the path; one that is not in flight is ignored."""
        if 0 <= distance(sequence, self._una) < distance(self._nxt, self._una):
            self.path_mss = mss
            self._nxt = self._una
            self._pump()

    def deliver(self, packet: bytes) -> None:
        segment = tcp.parse(packet)  # refuses a wrong checksum
        if segment.destination != self.local or (self.remote is not None and segment.source != self.remote):
            return
        if segment.flags & RST:
            if distance(segment.sequence, self._rcv_nxt) == 0 or not self._rcv_nxt:
                self.was_reset = True
                self._epoch += 1
            return
        if segment.flags & SYN:
            self._handshake(segment)
            return
        if not self.established and self._rcv_nxt and segment.flags & ACK:
            if distance(segment.acknowledgment, self.iss + 1) != 0:
                return  # of an earlier connection with the same ports
            self.established = True
            self._una = self._nxt = (self.iss + 1) % MODULUS
        if self.established:
            self._established(segment)

    def _handshake(self, segment: Segment) -> None:
        fresh = not self._rcv_nxt
        if fresh:
            self.remote = segment.source
            self._rcv_nxt = (segment.sequence + 1) % MODULUS
            options = segment.options
            self.peer_mss = options.mss or 536
            self._timestamps = self.ability.timestamps and options.timestamps is not None
            self.scaling = self.ability.window_scale is not None and options.window_scale is not None
            if options.timestamps:
                self._ts_recent = options.timestamps[0]
        if segment.flags & ACK:
            if segment.acknowledgment != (self.iss + 1) % MODULUS:
                return
            if not self.established:
                self.established = True
                self._una = self._nxt = (self.iss + 1) % MODULUS
            self._emit(ACK, self._nxt)
            self._pump()
        elif not self.established:
            self._emit(SYN | ACK, self.iss)
            if fresh:
                self._arm()

    def _established(self, segment: Segment) -> None:
        stamps = segment.options.timestamps
        if self._timestamps:
            assert stamps is not None, "a segment without the timestamps that were agreed on"
            if distance(stamps[0], self._ts_recent) < 0:  # PAWS
                self._emit(ACK, self._nxt)
                return
            end = distance(segment.sequence + segment.length, self._rcv_nxt)
            if distance(segment.sequence, self._rcv_nxt) <= 0 <= end:  # RFC 7323 section 5.3, R2 and R3
                self._ts_recent = stamps[0]
        if abs(distance(segment.sequence, self._rcv_nxt)) > _WINDOW:  # RFC 9293 section 3.10.7.4
            self._emit(ACK, self._nxt)
            return
        self.sack_seen |= bool(segment.options.sack)
        ahead = distance(segment.acknowledgment, self._nxt_max)
        if ahead > 0 and self.forgives:  # RFC 9293 section 3.10.7.4
            self._emit(ACK, self._nxt)
            return
        assert ahead <= 0, f"{self.local}: an ACK {ahead} bytes past everything that was sent"
        advanced = distance(segment.acknowledgment, self._una)
        if advanced > 0:
            if self._fin_queued and advanced > len(self._out):
                self.fin_acked = True
                advanced -= 1
            del self._out[:advanced]
            self._una = segment.acknowledgment
            if distance(self._nxt, self._una) < 0:
                self._nxt = self._una
            self._rto = 0.2
            self._arm()
        if segment.payload or segment.flags & FIN:
            self._take(segment)
            self._emit(ACK, self._nxt)
        elif distance(segment.sequence, self._rcv_nxt) == -1:  # RFC 9293 section 3.8.4: a keep-alive
            self._emit(ACK, self._nxt)
        self._pump()

    def _take(self, segment: Segment) -> None:
        skip = -distance(segment.sequence, self._rcv_nxt)
        if skip < 0 or self.got_fin:
            return
        fresh = segment.payload[skip:]
        if fresh:
            self.received += fresh
            self._rcv_nxt = (self._rcv_nxt + len(fresh)) % MODULUS
        if segment.flags & FIN and (segment.sequence + len(segment.payload)) % MODULUS == self._rcv_nxt:
            self._rcv_nxt = (self._rcv_nxt + 1) % MODULUS
            self.got_fin = True
        self.on_data()

    # Sending

    @property
    def _nxt_max(self) -> int:
        return (self._una + len(self._out) + self._fin_queued) % MODULUS if self.established else self.iss + 1

    def _pump(self) -> None:
        if not self.established or self.was_reset or self.fin_acked:
            return
        mss = min(self.peer_mss, self.ability.mss, self.path_mss or self.ability.mss) - 12 * self._timestamps
        while True:
            offset = distance(self._nxt, self._una)
            chunk = bytes(self._out[offset : min(offset + mss, self._limit)])
            fin = self._fin_queued and offset + len(chunk) == len(self._out)
            if not chunk and not fin:
                break
            self._emit(ACK | (PSH if chunk else 0) | (FIN if fin else 0), self._nxt, chunk)
            self._nxt = (self._nxt + len(chunk) + fin) % MODULUS
            if fin:
                break
        if self._out or self._fin_queued:
            self._arm(only_if_idle=True)

    def _emit(self, flags: int, sequence: int, payload: bytes = b"") -> None:
        assert self.remote is not None
        stamp = (int(self.clock.now * 1000) + self._skew) % MODULUS
        if flags & SYN:
            both = not flags & ACK
            options = Options(
                mss=self.ability.mss,
                window_scale=self.ability.window_scale if both or self.scaling else None,
                sack_permitted=self.ability.sack,
                timestamps=(stamp, self._ts_recent) if (self.ability.timestamps and both) or self._timestamps else None,
            )
        else:
            options = Options(timestamps=(stamp, self._ts_recent)) if self._timestamps else Options()
        ack = self._rcv_nxt if flags & ACK else 0
        segment = Segment(self.local, self.remote, sequence, ack, flags, 0xFFFF, options, payload)
        self._send(self.transform(tcp.build(segment)))

    _armed_epoch = -1

    def _arm(self, *, only_if_idle: bool = False) -> None:
        if only_if_idle and self._armed_epoch == self._epoch:
            return
        self._epoch += 1
        self._armed_epoch = epoch = self._epoch
        self.clock.at(self.clock.now + self._rto, lambda: self._expire(epoch))

    def _expire(self, epoch: int) -> None:
        if epoch != self._epoch or self.was_reset:
            return
        self._armed_epoch = -1
        pending = not self.established or self._out or (self._fin_queued and not self.fin_acked)
        if not pending:
            return
        self._rto = min(self._rto * 2, 5.0)
        if not self.established:
            self._emit(SYN | ACK if self._rcv_nxt else SYN, self.iss)
            self._arm()
        else:
            self._nxt = self._una
            self._pump()
            self._arm()
