"""The switch as a host of its networks: answers ARP and echo, finds its neighbours. No I/O and no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fastpath import frame as cpu
from fastpath.frame import Action, Punt
from fastpath.records import Reason
from fastpath.switch import arp, echo
from fastpath.switch.arp import Arp, Operation
from fastpath.switch.neighbours import Neighbours
from fastpath.switch.network import Neighbour, Network, holds
from fastpath.switch.waiting import Waiting

_MAC = slice(cpu.OFFLOAD_LENGTH + 6, cpu.OFFLOAD_LENGTH + 12)
_ACTION = cpu.OFFLOAD_LENGTH + 1
_SOURCE = slice(cpu.PACKET_OFFSET + 12, cpu.PACKET_OFFSET + 16)
_DESTINATION = slice(cpu.PACKET_OFFSET + 16, cpu.PACKET_OFFSET + 20)
_ETHERTYPE = slice(cpu.PACKET_OFFSET - 2, cpu.PACKET_OFFSET)
_SETTLED = 65_536
_IPV4 = cpu.ETHERTYPE_IPV4.to_bytes(2, "big")


class Station:
    """Sees every punt and every frame to inject; `take_frames` has what it sends itself."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._local: tuple[tuple[bytes, int], ...] = ()
        self._neighbours = Neighbours()
        self._routed: Mapping[Neighbour, bytes] = self._neighbours.resolved
        self._settled: set[bytes] = set()
        """Sources of punts that nothing is to be asked about, while `resolved` is `_settled_with`."""
        self._settled_with = self._neighbours.resolved
        self._waiting = Waiting()
        self._frames: list[bytes] = []

    @property
    def resolved(self) -> Mapping[Neighbour, bytes]:
        """The neighbours that are known and their Ethernet addresses; a new object after every change."""
        return self._neighbours.resolved

    @property
    def next_deadline(self) -> float | None:
        """When `advance` has something to do; None for never."""
        return self._neighbours.next_deadline

    @property
    def frames_lost(self) -> int:
        """Frames that waited for a neighbour in vain, or found no room to."""
        return self._waiting.lost

    def answer_for(self, networks: Iterable[tuple[bytes, int]]) -> None:
        """Answer for all addresses in `networks` (packed prefix, length in bits), besides those of the ports."""
        self._local = tuple(networks)

    def want(self, neighbours: set[Neighbour], now: float) -> None:
        """Know these neighbours, from now on."""
        self._neighbours.want(neighbours, now)
        self.advance(now)

    def announce(self, addresses: Iterable[bytes]) -> None:
        """Tell the links that these addresses of ours are here now (RFC 5227 section 2.3)."""
        for address in addresses:
            found = self._network.connected(address)
            if found is not None:
                port, _ = found
                self._emit(port.number, Arp(Operation.REQUEST, port.mac, address, bytes(6), address), None)

    def receive(self, punt: Punt, now: float) -> bool:
        """Look at a punt; returns whether it was for the station and is done with."""
        if punt.reason == Reason.ARP:
            self._receive_arp(punt, now)
            return True
        if punt.raw[_ETHERTYPE] != _IPV4:
            return False
        if punt.reason == Reason.ICMP and (answer := echo.reply(punt.packet, self._is_ours)) is not None:
            self._frames.append(cpu.encode(answer, Action.EMIT, port=punt.port, peer=punt.raw[_MAC]))
            return True
        source = punt.raw[_SOURCE]
        if source not in self._settled or self._settled_with is not self.resolved:
            self._find(source, now)
        return False

    def hold(self, frame: bytes) -> bool:
        """Keep a `frame` that is to be routed to a neighbour whose answer is still awaited; returns whether it was."""
        if not self._neighbours.resolving and self._routed is self.resolved:
            return False
        if frame[_ACTION] != Action.ROUTE or frame[_ETHERTYPE] != _IPV4:
            return False
        neighbour = self._network.neighbour(frame[_DESTINATION])
        if neighbour is None or neighbour in self._routed:
            return False
        if neighbour not in self.resolved and neighbour not in self._neighbours.resolving:
            return False
        self._waiting.hold(neighbour, frame)
        return True

    def routed(self, resolved: Mapping[Neighbour, bytes]) -> None:
        """The switch has the routes of these neighbours now: what waited for them goes out."""
        self._routed = resolved
        for neighbour in self._waiting.neighbours():
            if neighbour in resolved:
                self._frames.extend(self._waiting.take(neighbour))

    def advance(self, now: float) -> None:
        """Ask for the neighbours that are due."""
        for neighbour, mac in self._neighbours.advance(now):
            self._ask(neighbour, mac)
        for neighbour in self._waiting.neighbours():
            if neighbour not in self.resolved and neighbour not in self._neighbours.resolving:
                self._waiting.lost += len(self._waiting.take(neighbour))

    def take_frames(self) -> list[bytes]:
        """Frames to inject, in order."""
        frames, self._frames = self._frames, []
        return frames

    def _receive_arp(self, punt: Punt, now: float) -> None:
        packet, port = arp.parse(punt.packet), self._network.port(punt.port)
        if packet is None or port is None or self._is_ours(packet.sender) or packet.sender_mac[0] & 1:
            return
        asks_us = packet.operation == Operation.REQUEST and self._is_ours(packet.target)
        neighbour = Neighbour(port.number, packet.sender)
        if self._network.neighbour(packet.sender) == neighbour and any(packet.sender_mac):
            self._neighbours.heard(neighbour, packet.sender_mac, now, asked_us=asks_us)
        if asks_us:
            answer = Arp(Operation.REPLY, port.mac, packet.target, packet.sender_mac, packet.sender)
            self._emit(port.number, answer, packet.sender_mac)

    def _find(self, source: bytes, now: float) -> None:
        """Ask for the neighbour that sent something; who is behind a gateway or a tunnel is none."""
        if self._settled_with is not self.resolved or len(self._settled) >= _SETTLED:
            self._settled.clear()
            self._settled_with = self.resolved
        neighbour = self._network.neighbour(source)
        if neighbour is None or neighbour.address != source or neighbour in self.resolved or self._is_ours(source):
            self._settled.add(source)
        else:
            self._neighbours.seek(neighbour, now)
            self.advance(now)

    def _ask(self, neighbour: Neighbour, mac: bytes | None) -> None:
        found = self._network.connected(neighbour.address)
        if found is not None:
            port, own = found
            self._emit(port.number, Arp(Operation.REQUEST, port.mac, own, bytes(6), neighbour.address), mac)

    def _emit(self, port: int, packet: Arp, mac: bytes | None) -> None:
        self._frames.append(
            cpu.encode(arp.build(packet), Action.EMIT, port=port, peer=mac or arp.BROADCAST, ether_type=arp.ETHERTYPE)
        )

    def _is_ours(self, address: bytes) -> bool:
        return self._network.is_own(address) or any(holds(network, address) for network in self._local)
