"""What is known of a server that is being left, and of how far its client has come."""

from __future__ import annotations

from dataclasses import dataclass, field

from slowpath.http.responses import Responses
from slowpath.splicing.resuming import Decided, Packets
from slowpath.tcp.reassembly import Reassembly
from slowpath.tcp.retransmission import RetransmissionTimer

_RTO = 0.2


@dataclass(slots=True)
class Farewell:
    """What is to be known of a server that is left; sequence numbers are those of the client's connection."""

    start: int
    """The SEQ of the client's next request."""
    packets: Packets
    """What reaches past it."""
    decided: Decided | None
    """What becomes of that request, if it is known."""
    window: int
    """The client's last window, unscaled."""
    stamps: tuple[int, int] | None
    """The client's latest timestamps."""
    acknowledged: int
    """What the client has acknowledged."""
    tsval: int
    """The latest TSval that the client has been sent."""
    give_up: float
    """When the server, or the client, has been silent for too long."""
    timer: RetransmissionTimer = field(default_factory=lambda: RetransmissionTimer(_RTO))
    relayed: int | None = None
    """How far the client has been sent the server's stream since, None if it has been sent nothing."""
    end: int | None = None
    """Where the server's stream ends."""
    fin_sent: bool = False
    fin_acked: bool = False
    gone: bool = False
    """Whether the server has reset its connection."""
    told: bool = False
    """Whether the client's connection ends with the server's."""
    heard: float | None = None
    """When the server last sent something, None if that is not known."""
    complete: int = 0
    """Up to where the server's stream holds whole responses, as far as anybody can tell."""
    owing: bool = False
    """Whether the server may have requests that it has yet to answer, and nobody can count its answers."""
    hold: float | None = None
    """Until when our FIN waits for a server that is `owing` to be silent."""
    outstanding: Responses | None = None
    """What the server has to send before it may learn that the client leaves, as far as that is known for certain."""
    inbox: Reassembly | None = None
    """The server's stream from there on."""

    @property
    def deadline(self) -> float:
        """When to send, or to send again, or to give up."""
        return min(self.give_up, self.timer.deadline or self.hold or self.give_up)
