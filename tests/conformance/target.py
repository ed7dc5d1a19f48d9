"""What a target implements to run through the conformance suite: one file per target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from fastpath.interface import Closed
from fastpath.profile import Profile
from fastpath.records import Counters, Flow, Followed, Listener, NextHop, Precedent, Server, Splice, Volume
from fastpath.verdict import Verdict

CLIENT_PORT, SERVER_PORT = 0, 1
PORTS = (CLIENT_PORT, SERVER_PORT)

NEXT_HOPS = (
    NextHop((bytes((10, 1, 0, 0)), 16), CLIENT_PORT, bytes.fromhex("02000000c001"), bytes.fromhex("02000000c0fe")),
    NextHop((bytes((10, 2, 0, 0)), 16), SERVER_PORT, bytes.fromhex("02000000d001"), bytes.fromhex("02000000d0fe")),
)
"""The routes of every Rules, to which those for switches alone add tunnels: no frame is sent to anywhere else in these
networks than the one next hop, and every other destination (192.0.2.0/24 in the vectors) has no route."""

BOTH_VERSIONS = (
    *NEXT_HOPS,
    *(
        replace(hop, network=(bytes.fromhex(f"20010db8000{number}").ljust(16, b"\0"), 48))
        for number, hop in enumerate(NEXT_HOPS, start=1)
    ),
)
"""Those, and 2001:db8:1::/48 and 2001:db8:2::/48 behind the same next hops."""

NARROW_MTU = 1300
NARROW = tuple(
    replace(hop, network=network, mtu=NARROW_MTU)
    for hop, *networks in zip(
        NEXT_HOPS,
        ((bytes((10, 1, 9, 0)), 24), (bytes((10, 2, 9, 0)), 24)),
        (
            (bytes.fromhex("20010db800010009").ljust(16, b"\0"), 64),
            (bytes.fromhex("20010db800020009").ljust(16, b"\0"), 64),
        ),
        strict=True,
    )
    for network in networks
)
"""10.1.9.0/24, 10.2.9.0/24, 2001:db8:1:9::/64 and 2001:db8:2:9::/64, behind the same next hops, with a smaller MTU."""

ADDRESSES = {hop.port: hop.source_mac for hop in NEXT_HOPS}
"""The Ethernet address of each port."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a target is programmed with."""

    listeners: tuple[Listener, ...]
    servers: tuple[Server, ...]
    splices: tuple[Splice, ...]
    next_hops: tuple[NextHop, ...] = NEXT_HOPS
    precedents: tuple[Precedent, ...] = ()


class Target(Protocol):
    """A fast path under test. Frames start at the Ethernet header and have at least 15 bytes.

    A verdict of Passed promises that the frame was left as it came: a target that can see it checks it.
    """

    profile: Profile
    """What kind of target it is: which vectors it is given, and which reference it is held to."""
    tells_port: bool
    """Whether the port in a `Sent` is what the target did; otherwise it is not compared."""

    def program(self, rules: Rules) -> None:
        """Start afresh with `rules`: counters at zero, nothing expected, no reports, no memory of earlier packets."""

    def receive(self, port: int, frame: bytes) -> Verdict:
        """Let `frame` arrive on `port`."""

    def inject(self, frame: bytes) -> Verdict:
        """Let the slow path inject `frame`: an Ethernet frame with the CPU header, without the offload header."""

    def closed(self) -> list[Closed]:
        """The reports since the last call, in order."""

    def traffic(self, flows: Sequence[Flow]) -> Sequence[tuple[Volume, Volume] | None]:
        """What splices have carried since `program`, as `FastPath.traffic`."""

    def followed(self, flow: Flow) -> Followed | None:
        """How far precedents have moved a splice's pivot, as `FastPath.followed`."""

    def counters(self) -> Counters:
        """The counters since `program`; keys with nothing counted may be there or not."""

    def close(self) -> None:
        """Release everything."""
