"""What a decision looks at: a frame, how it came, and the tables that it meets."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

from fastpath.frame import ETHERNET_LENGTH
from fastpath.packet import Packet
from fastpath.records import Followed, Listener, NextHop, Precedent, Splice, Translation, Tuple4
from slowpath.wire.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class Entry:
    """What a 4-tuple leads to: one direction of a splice."""

    translation: Translation
    splice: Splice
    followed: Followed | None = None
    """What it knows of the last precedent that was followed."""
    ending: bool = False
    """Whether a FIN or a RST has passed."""


@dataclass(frozen=True, slots=True)
class Tables:
    """All that a decision depends on besides the frame."""

    listeners: Mapping[Endpoint, Listener]
    vips: Container[bytes]
    """The listeners' addresses."""
    entries: Mapping[Tuple4, Entry]
    expected: Container[Tuple4]
    routes: Sequence[NextHop]
    ports: Container[int]
    precedents: Mapping[tuple[Endpoint, Endpoint, int, bytes], Precedent] = field(default_factory=dict)
    """Those that hold, by VIP, server, its id, and head."""
    addresses: Mapping[int, bytes] = field(default_factory=dict)
    """The Ethernet address of each port; only a switch looks at them."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """An Ethernet frame and how it came."""

    frame: bytes
    port: int
    injected: bool
    packet: Packet | None
    """What the profile finds in the frame."""

    @property
    def ether_type(self) -> bytes:
        """The two bytes of the EtherType."""
        return self.frame[12:ETHERNET_LENGTH]
