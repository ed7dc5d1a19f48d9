"""The slow path on the in-memory fast path, between model clients and model servers, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Any

from fastpath.errors import Rejected, TableFull
from fastpath.frame import ETHERNET_LENGTH
from fastpath.interface import Batch
from fastpath.memory import MemoryFastPath
from fastpath.profile import HOST, Profile
from fastpath.records import Listener, NextHop, Offer, Reason, Server, SynCookies
from fastpath.verdict import Sent
from slowpath.accesslog.entry import Journal
from slowpath.balancing.balancer import balancer
from slowpath.balancing.member import Member
from slowpath.health.offer import FIRST_WINDOW
from slowpath.routing.router import Router
from slowpath.splicing.observer import UNOBSERVED, Observer
from slowpath.splicing.outcome import Outcome
from slowpath.splicing.protocols import Http
from slowpath.splicing.rest import REST_AFTER
from slowpath.splicing.service import Pool, Service, Timeouts
from slowpath.splicing.sources import Sources, Transparent
from slowpath.splicing.splicer import Splicer
from slowpath.wire import icmp, tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.ip import IPV4, IPV6
from tests.simulation.network import Clock, Impairment, Link
from tests.simulation.peer import Ability, Peer

VIP = Endpoint.parse("10.1.0.100:80")
SERVERS = [Endpoint.parse(f"10.2.0.{host}:80") for host in (2, 3)]
VIP6 = Endpoint.parse("[2001:db8:1::100]:80")
SERVERS6 = [Endpoint.parse(f"[2001:db8:2::{host}]:80") for host in (2, 3)]
ROUTERS = {4: bytes((192, 0, 2, 1)), 6: bytes.fromhex("20010db8ffff").ljust(16, b"\1")}
"""Whom errors come from, by IP version."""
ETHERNET = bytes(12)
CLIENT_SIDE, SERVER_SIDE = 0, 1
OFFER = Offer(mss=1460, window=FIRST_WINDOW, window_scale=7, sack=True, timestamps=True, ecn=True)

COOKIES = SynCookies((bytes(range(16)), bytes(range(16, 32))), 0)


def finish(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("the in-memory fast path waited")


class World:
    """Clients behind port 0, servers behind port 1; `serve` decides what a server does with a connection."""

    def __init__(
        self,
        seed: int = 0,
        impairment: Impairment = Impairment(),
        *,
        offer: Offer = OFFER,
        sources: Sources | None = None,
        capacity: int = 1000,
        timeouts: Timeouts = Timeouts(),
        balance: str = "round_robin",
        profile: Profile = HOST,
        observer: Observer = UNOBSERVED,
        journal: Journal | None = None,
        vip: Endpoint = VIP,
        servers: Sequence[Endpoint] = SERVERS,
        mtu: Mapping[int, int] | None = None,
        rest_after: float = REST_AFTER,
    ) -> None:
        """`mtu` is what the balancer's own links take, by side."""
        mtu = mtu or {}
        self.random = Random(seed)
        self.clock = Clock()
        self.vip = vip
        addresses = dict.fromkeys((CLIENT_SIDE, SERVER_SIDE), ETHERNET[:6])
        self.fastpath = MemoryFastPath(tuple(addresses), capacity=capacity, profile=profile, addresses=addresses)
        self.members = [Member(index, endpoint) for index, endpoint in enumerate(servers)]
        pool = Pool("web", self.members, balancer(balance, self.members, self.random))
        self.service = Service("web", vip, Router([], {"web": 1}), {"web": pool}, timeouts, Http(16384), offer)
        self.service.offer = replace(offer, timestamps=offer.timestamps and profile.timestamps)
        self.splicer = Splicer(
            [self.service], sources or Transparent(), COOKIES, observer, self.fastpath, journal, rest_after
        )
        self.clients: dict[Endpoint, Peer] = {}
        self.server_side: dict[tuple[Endpoint, Endpoint], Peer] = {}
        self.serve: Callable[[Peer], None] = lambda peer: None
        self.dead: set[Endpoint] = set()
        self.refusing: set[Endpoint] = set()
        self.server_ability = Ability()
        self.narrow: dict[int, int] = {}
        """What routers beyond the balancer's links take, by side; they tell who exceeds it."""
        self.errors: list[icmp.Error] = []
        """What hosts were told of packets that were too long."""
        self._links = {
            (CLIENT_SIDE, "in"): self._link(impairment, lambda packet: self._arrive(CLIENT_SIDE, packet)),
            (SERVER_SIDE, "in"): self._link(impairment, lambda packet: self._arrive(SERVER_SIDE, packet)),
            (CLIENT_SIDE, "out"): self._link(impairment, self._to_client),
            (SERVER_SIDE, "out"): self._link(impairment, self._to_server),
        }
        hops = [
            NextHop(network, side, bytes(6), bytes(6), mtu=mtu.get(side))
            for network, side in (
                ((bytes((10, 2, 0, 0)), 16), SERVER_SIDE),
                ((bytes(4), 0), CLIENT_SIDE),
                ((bytes.fromhex("20010db80002") + bytes(10), 48), SERVER_SIDE),
                ((bytes(16), 0), CLIENT_SIDE),
            )
        ]
        behind = [Server(member.id, member.endpoint) for member in self.members]
        finish(self.fastpath.configure([Listener(vip, offer)], behind, hops))

    def _link(self, impairment: Impairment, deliver: Callable[[bytes], None]) -> Link:
        return Link(self.clock, self.random, impairment, deliver)

    def client(self, port: int = 40000, ability: Ability = Ability(), iss: int | None = None, host: int = 2) -> Peer:
        """A client in the VIP's network, with `host` as the last byte of its address, that has begun to connect."""
        local = Endpoint(self.vip.address[:-1] + bytes((host,)), port)
        start = self.random.getrandbits(32) if iss is None else iss
        peer = Peer(self.clock, self._links[CLIENT_SIDE, "in"].send, local, start, ability, self.random.getrandbits(32))
        self.clients[local] = peer
        peer.connect(self.vip)
        return peer

    def inject_raw(self, port: int, packet: bytes) -> None:
        """Let a packet arrive, past every link."""
        self._arrive(port, packet)

    # The hosts

    def _leave(self, sent: Sent) -> None:
        packet = sent.frame[ETHERNET_LENGTH:]
        mtu = self.narrow.get(sent.port)
        if mtu is None or len(packet) <= mtu:
            self._links[sent.port, "out"].send(packet)
        else:
            router = ROUTERS[packet[0] >> 4]
            self._links[sent.port, "in"].send(icmp.build(icmp.too_long(router, packet, mtu)))

    def _told(self, packet: bytes) -> bool:
        """Whether a packet is an error for one of the hosts; it has got it then."""
        error = icmp.parse(packet)
        found = icmp.quoted(error) if error is not None else None
        if error is None or found is None:
            return False
        peer = self.clients.get(found.source) or self.server_side.get((found.source, found.destination))
        if peer is not None and error.mtu is not None:
            self.errors.append(error)
            peer.too_long(found.sequence, error.mtu - error.family.length - 20)
        return True

    def _to_client(self, packet: bytes) -> None:
        if self._told(packet):
            return
        family = IPV6 if packet[0] >> 4 == IPV6.version else IPV4
        port = int.from_bytes(packet[family.length + 2 : family.length + 4], "big")
        peer = self.clients.get(Endpoint(packet[family.destination], port))
        if peer is not None:
            peer.deliver(packet)

    def _to_server(self, packet: bytes) -> None:
        if self._told(packet):
            return
        segment = tcp.parse(packet)
        if segment.destination in self.dead:
            return
        key = (segment.destination, segment.source)
        peer = self.server_side.get(key)
        starts = segment.flags & (tcp.SYN | tcp.ACK) == tcp.SYN
        if starts and segment.destination in self.refusing:
            flags, ack = tcp.RST | tcp.ACK, (segment.sequence + 1) % (1 << 32)
            reply = tcp.Segment(*key, 0, ack, flags, 0, segment.options)
            self._links[SERVER_SIDE, "in"].send(tcp.build(reply))
            return
        if starts and (peer is None or peer.finished):
            skew, iss = self.random.getrandbits(32), self.random.getrandbits(32)
            send = self._links[SERVER_SIDE, "in"].send
            peer = Peer(self.clock, send, segment.destination, iss, self.server_ability, skew)
            self.server_side[key] = peer
            self.serve(peer)
        if peer is not None:
            peer.deliver(packet)

    # The balancer

    def _arrive(self, port: int, packet: bytes) -> None:
        ether_type = (IPV6 if packet[0] >> 4 == IPV6.version else IPV4).ether_type
        frame = b"".join((ETHERNET, ether_type.to_bytes(2, "big"), packet))
        verdict = self.fastpath.receive(port, frame, self.clock.now)
        if isinstance(verdict, Sent):
            self._leave(verdict)
        self._work()

    def _work(self) -> None:
        """Take what the fast path has until it has nothing: an injected frame may be punted again, but only once."""
        for _ in range(4):
            batch = self.fastpath.take_batch()
            if batch == Batch():
                return
            self.splicer.statistics.packets_in += len(batch.punts)
            for punt in batch.punts:
                if punt.reason in (Reason.ICMP, Reason.MTU):
                    self.splicer.notice(punt, self.clock.now)
                    continue
                try:
                    segment = tcp.parse(punt.packet)
                except tcp.MalformedPacket:
                    self.splicer.statistics.drops["malformed"] += 1
                    continue
                self.splicer.receive(punt, segment, self.clock.now)
            for admitted in batch.admitted:
                self.splicer.admitted(admitted, self.clock.now)
            for closed in batch.closed:
                self.splicer.closed(closed, self.clock.now)
            for idle in batch.idle:
                self.splicer.idle(idle, self.clock.now)
            self._apply()
        raise AssertionError("frames go round between the fast path and the slow path")

    def _apply(self) -> None:
        while (outcome := self.splicer.take_outcome()) != Outcome():
            if outcome.revoke:
                finish(self.fastpath.revoke_precedents())
            carried = self.fastpath.traffic([settlement.flow for settlement in outcome.ended])
            self.splicer.settle(outcome.ended, carried)
            finish(self.fastpath.remove(outcome.remove))
            with suppress(Rejected):
                finish(self.fastpath.update([junction.splice for junction in outcome.update]))
            finish(self.fastpath.set_precedents(outcome.precedents))
            finish(self.fastpath.set_admissions(outcome.admissions))
            self.fastpath.inject(outcome.frames)
            finish(self.fastpath.withdraw(outcome.withdraw))
            self.fastpath.inject(outcome.farewells)
            for junction in outcome.install:
                try:
                    finish(self.fastpath.install([junction.splice]))
                except TableFull:
                    self.splicer.refused([junction], self.clock.now)
                else:
                    self.splicer.installed([junction], 0.0, self.clock.now)
        for sent in self.fastpath.take_sent():
            self._leave(sent)
        deadline = self.splicer.next_deadline
        if deadline is not None:
            self.clock.at(deadline, self._tick)

    def _tick(self) -> None:
        self.splicer.advance(self.clock.now)
        self._apply()
        self._work()

    def wake(self) -> None:
        """Have the slow path do what a change has brought up."""
        self._tick()

    def sweep(self) -> None:
        """Have the fast path report what it finds idle."""
        self.fastpath.sweep(self.clock.now)
        self._work()

    @property
    def records(self) -> int:
        records = len(list(self.fastpath.splices()))
        assert self.splicer.splice_count == records
        assert self.splicer.connection_count == len(self.splicer.connections())
        return records
