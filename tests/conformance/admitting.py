"""Connections that are let in: the packets of one, and what the slow path would have made of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import cast

from fastpath.records import Admission, Flow, Listener, Offer, Server, Splice, SynCookies
from fastpath.verdict import Sent, Verdict
from slowpath.balancing.member import Member
from slowpath.splicing import connecting
from slowpath.splicing.session import Session
from slowpath.tcp import cookie
from slowpath.tcp.cookie import Agreed
from slowpath.wire import options, tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from tests.conformance.ebpf_target import EbpfTarget
from tests.conformance.packets import Tcp, nops, timestamps
from tests.conformance.target import CLIENT_PORT, NEXT_HOPS, SERVER_PORT, Rules

CLIENT = Endpoint.parse("10.1.0.2:40000")
VIP = Endpoint.parse("10.1.0.100:80")
SERVERS = tuple((Endpoint.parse(f"10.2.0.{number}:8080"), number) for number in range(2, 5))
SERVER, SERVER_ID = SERVERS[0]
HEAD = b"GET / HTTP/1.1\r\nHost: l7lb.example\r\n\r\n"
FULL = Offer(mss=1460, window=64240, window_scale=7, sack=True, timestamps=True, ecn=True)
KEYS = (bytes(range(16)), bytes(range(16, 32)))
LINUX = Options(mss=1400, window_scale=9, sack_permitted=True, timestamps=(77, 0))
LABEL = 5
ISN, SERVER_ISN = 0x1111_1111, 0xFFFF_FFF0
FIRST_TSVAL, SERVER_TSVAL = 78, 5_000_000
WINDOW = 502
MASK = 0xFFFF_FFFF


def admission(head: bytes = HEAD, servers: int = 1, *, routed: bool = False, lasts: float = 60.0) -> Admission:
    """One for the VIP, for so many of the servers, and seconds."""
    return Admission(VIP, head, SERVERS[:servers], routed, LABEL, time.monotonic() + lasts)


def ready(
    target: EbpfTarget, *admissions: Admission, offer: Offer = FULL, splices: tuple[Splice, ...] = (), epoch: int = 0
) -> None:
    """Have a listener that answers SYNs, and `admissions`."""
    servers = tuple(Server(number, endpoint) for endpoint, number in SERVERS)
    target.program(Rules((Listener(VIP, offer),), servers, splices))
    target.rotate(SynCookies(KEYS, epoch))
    target.admit(*admissions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """A client's connection whose SYN was answered."""

    client: Endpoint
    isn: int
    number: int
    """The cookie."""
    agreed: Agreed
    our_tsval: int | None
    offered_scale: int | None

    def segment(self, payload: bytes = HEAD, *, at: int = 0, answered: int = 0, flags: int = tcp.ACK | tcp.PSH) -> Tcp:
        """A segment `at` so many bytes after the start of the client's stream, of which so many were `answered`."""
        return Tcp(
            source=self.client,
            destination=VIP,
            sequence=self.isn + 1 + at & MASK,
            acknowledgment=self.number + 1 + answered & MASK,
            flags=flags,
            window=WINDOW,
            options=b"" if self.our_tsval is None else nops(2) + timestamps(FIRST_TSVAL, self.our_tsval),
            payload=payload,
        )

    def syn(self, server: Endpoint = SERVER) -> bytes:
        """The SYN that the slow path would send to a server, having got `segment`."""
        first = SimpleNamespace(window=WINDOW, options=options.decode(self.segment().options))
        session = SimpleNamespace(agreed=self.agreed, first=first, source=self.client, client_isn=self.isn, inserted=0)
        member = SimpleNamespace(endpoint=server)
        return tcp.build(connecting._syn(cast(Session, session), cast(Member, member), 0.0))

    def syn_ack(self, server: Endpoint = SERVER) -> Tcp:
        """What a server answers it with that keeps what the client was promised, and no more."""
        offered = Options(
            mss=1460,
            window_scale=self.offered_scale,
            sack_permitted=True,
            timestamps=None if self.our_tsval is None else (SERVER_TSVAL, FIRST_TSVAL),
        )
        return Tcp(
            source=server,
            destination=self.client,
            sequence=SERVER_ISN,
            acknowledgment=self.isn + 1 & MASK,
            flags=tcp.SYN | tcp.ACK,
            options=offered.encode(),
        )

    def request(self, head: bytes = HEAD, server: Endpoint = SERVER) -> bytes:
        """The ACK of that, with the head."""
        stamps = Options() if self.our_tsval is None else Options(timestamps=(FIRST_TSVAL, SERVER_TSVAL))
        return tcp.build(
            tcp.Segment(
                self.client,
                server,
                self.isn + 1 & MASK,
                SERVER_ISN + 1 & MASK,
                tcp.ACK | tcp.PSH,
                WINDOW,
                stamps,
                head,
            )
        )

    def splice(self, head: bytes = HEAD, *, routed: bool = False, server: int = 0) -> Splice:
        """What the slow path would install."""
        endpoint, number = SERVERS[server]
        return Splice(
            Flow(self.client, VIP),
            endpoint,
            number,
            self.client,
            delta=self.number - SERVER_ISN & MASK,
            timestamp_delta=0 if self.our_tsval is None else self.our_tsval - SERVER_TSVAL & MASK,
            pivot=self.isn + 1 + len(head) & MASK if routed else None,
            follows_precedents=routed,
        )

    def to_server(self, packet: Tcp, server: Endpoint = SERVER) -> Tcp:
        """A client's packet as it reaches the server."""
        splice = self.splice()
        stamps = options.decode(packet.options).timestamps
        changed = packet.options
        if stamps is not None:
            changed = nops(2) + timestamps(stamps[0], stamps[1] - splice.timestamp_delta & MASK)
        acknowledgment = packet.acknowledgment - splice.delta & MASK
        return replace(packet, destination=server, acknowledgment=acknowledgment, options=changed, ttl=packet.ttl - 1)

    def reply(self, payload: bytes = b"", *, at: int = 0, flags: int = tcp.ACK, received: int = len(HEAD)) -> Tcp:
        """A packet of the server's, `at` so many bytes after the start of its stream."""
        return Tcp(
            source=SERVER,
            destination=self.client,
            sequence=SERVER_ISN + 1 + at & MASK,
            acknowledgment=self.isn + 1 + received & MASK,
            flags=flags,
            options=b"" if self.our_tsval is None else nops(2) + timestamps(SERVER_TSVAL + 9, FIRST_TSVAL),
            payload=payload,
        )

    def to_client(self, packet: Tcp) -> Tcp:
        """It as it reaches the client."""
        splice = self.splice()
        stamps = options.decode(packet.options).timestamps
        changed = packet.options
        if stamps is not None:
            changed = nops(2) + timestamps(stamps[0] + splice.timestamp_delta & MASK, stamps[1])
        sequence = packet.sequence + splice.delta & MASK
        return replace(packet, source=VIP, sequence=sequence, options=changed, ttl=packet.ttl - 1)


def shake_hands(
    target: EbpfTarget,
    asked: Options = LINUX,
    *,
    isn: int = ISN,
    flags: int = tcp.SYN,
    offer: Offer = FULL,
    client: Endpoint = CLIENT,
) -> Handshake:
    """Have a SYN answered."""
    syn = Tcp(source=client, destination=VIP, sequence=isn, flags=flags, acknowledgment=0, options=asked.encode())
    answer = tcp.parse(sent(target.receive(CLIENT_PORT, syn.arriving(CLIENT_PORT)), CLIENT_PORT))
    agreed = cookie.agree(options.decode(syn.options), flags, offer)
    stamps = answer.options.timestamps
    return Handshake(
        client=client,
        isn=isn,
        number=answer.sequence,
        agreed=agreed,
        our_tsval=stamps[0] if stamps else None,
        offered_scale=None if agreed.window_scale is None else offer.window_scale,
    )


def first_segment(target: EbpfTarget, vip: Endpoint) -> Tcp:
    """The segment with the head, behind a handshake without options, of the same client with another VIP."""
    syn = Tcp(source=CLIENT, destination=vip, flags=tcp.SYN, acknowledgment=0, sequence=ISN)
    answer = tcp.parse(sent(from_client(target, syn), CLIENT_PORT))
    return Tcp(source=CLIENT, destination=vip, sequence=ISN + 1, acknowledgment=answer.sequence + 1, payload=HEAD)


def sent(verdict: Verdict, port: int) -> bytes:
    """The packet that was sent to the next hop behind `port`."""
    assert isinstance(verdict, Sent), verdict
    hop = NEXT_HOPS[port]
    assert verdict.frame[:14] == hop.destination_mac + hop.source_mac + b"\x08\x00"
    return verdict.frame[14:]


def from_client(target: EbpfTarget, packet: Tcp) -> Verdict:
    """Let a packet of the client's arrive."""
    return target.receive(CLIENT_PORT, packet.arriving(CLIENT_PORT))


def from_server(target: EbpfTarget, packet: Tcp) -> Verdict:
    """Let a packet of the server's arrive."""
    return target.receive(SERVER_PORT, packet.arriving(SERVER_PORT))


def let_in(target: EbpfTarget, handshake: Handshake, head: bytes = HEAD) -> None:
    """Have a server asked, and accept."""
    assert sent(from_client(target, handshake.segment(head)), SERVER_PORT) == handshake.syn()
    assert sent(from_server(target, handshake.syn_ack()), SERVER_PORT) == handshake.request(head)
