"""Packets and frames from field values: every checksum computed in full, by nothing that is under test."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from fastpath.records import Reason
from slowpath.wire.endpoint import Endpoint
from tests.conformance.target import NEXT_HOPS

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128

IPV4, IPV6, ARP, VLAN = 0x0800, 0x86DD, 0x0806, 0x8100


@dataclass(frozen=True, slots=True, kw_only=True)
class Tcp:
    """A TCP packet by its field values; the expectation of a vector is `dataclasses.replace` of what went in.

    It is of the IP version of its addresses: of what IPv6 has no field for, nothing is in the packet.
    """

    source: Endpoint
    destination: Endpoint
    sequence: int = 1000
    acknowledgment: int = 2000
    flags: int = ACK
    window: int = 0x1F40
    urgent: int = 0
    reserved: int = 0
    """The four bits beside the data offset."""
    options: bytes = b""
    payload: bytes = b""
    ttl: int = 64
    """Or hop limit."""
    tos: int = 0
    """Or traffic class."""
    flow_label: int = 0
    identification: int = 0x1C46
    fragment: int = 0x4000
    """Flags and fragment offset, as the field stands."""
    protocol: int = 6
    """IPv6: of what follows the fixed header."""
    ip_options: bytes = b""
    """Or extension headers, each of which names what follows it."""
    padding: bytes = b""
    ip_error: int = 0
    """Added to the right IPv4 header checksum in one's complement."""
    tcp_error: int = 0
    """Added to the right TCP checksum in one's complement."""
    version: int | None = None
    """The version field, if it is not to be true."""
    header_words: int | None = None
    """IHL, if it is not to be true."""
    data_offset: int | None = None
    """The data offset in words, if it is not to be true."""
    total_length: int | None = None
    """The total length (with IPv6's fixed header), if it is not to be true; nothing is cut or added."""

    @property
    def is_ipv6(self) -> bool:
        """Whether the addresses are IPv6 ones."""
        return len(self.source.address) == 16

    @property
    def ether_type(self) -> int:
        """What the version asks for."""
        return IPV6 if self.is_ipv6 else IPV4

    def packet(self) -> bytes:
        """The packet from layer 3 on, padding included."""
        offset = 5 + len(self.options) // 4 if self.data_offset is None else self.data_offset
        tcp = struct.pack(
            "!HHIIBBHHH",
            self.source.port,
            self.destination.port,
            self.sequence,
            self.acknowledgment,
            offset << 4 | self.reserved,
            self.flags,
            self.window,
            0,
            self.urgent,
        )
        tcp += self.options + self.payload
        addresses = self.source.address + self.destination.address
        checksum = full_checksum(addresses + struct.pack("!BBH", 0, 6, len(tcp)) + tcp, self.tcp_error)
        tcp = tcp[:16] + checksum + tcp[18:]
        ip = self._ipv6_header(len(tcp)) if self.is_ipv6 else self._ipv4_header(len(tcp))
        return ip + tcp + self.padding

    def _ipv6_header(self, length: int) -> bytes:
        """The fixed header and the extension headers in front of `length` bytes of TCP."""
        version = 6 if self.version is None else self.version
        length += len(self.ip_options)
        if self.total_length is not None:
            length = (self.total_length - 40) % 2**16
        first = version << 28 | self.tos << 20 | self.flow_label
        head = struct.pack("!IHBB", first, length, self.protocol, self.ttl)
        return head + self.source.address + self.destination.address + self.ip_options

    def _ipv4_header(self, length: int) -> bytes:
        version = 4 if self.version is None else self.version
        words = 5 + len(self.ip_options) // 4 if self.header_words is None else self.header_words
        length += 20 + len(self.ip_options)
        if self.total_length is not None:
            length = self.total_length
        head = struct.pack(
            "!BBHHHBBH",
            version << 4 | words,
            self.tos,
            length,
            self.identification,
            self.fragment,
            self.ttl,
            self.protocol,
            0,
        )
        ip = head + self.source.address + self.destination.address + self.ip_options
        return ip[:10] + full_checksum(ip, self.ip_error) + ip[12:]

    def arriving(self, port: int) -> bytes:
        """The frame in which the packet reaches `port`."""
        return arriving(self.packet(), port, self.ether_type)

    def leaving(self, port: int) -> bytes:
        """The frame in which the packet leaves `port` for the next hop there."""
        hop = NEXT_HOPS[port]
        return hop.destination_mac + hop.source_mac + struct.pack("!H", self.ether_type) + self.packet()

    def punted(self, reason: Reason, port: int) -> bytes:
        """The frame in which the packet, having reached `port`, is punted."""
        return cpu_frame(reason, port, self.packet(), ether_type=self.ether_type)

    def injected(self, action: int, port: int, flags: int = 0) -> bytes:
        """The frame that injects the packet."""
        return cpu_frame(action, port, self.packet(), flags, self.ether_type)


def arriving(packet: bytes, port: int, ether_type: int = IPV4) -> bytes:
    """The Ethernet frame in which `packet` reaches `port` from the next hop there."""
    hop = NEXT_HOPS[port]
    return hop.source_mac + hop.destination_mac + struct.pack("!H", ether_type) + packet


def cpu_frame(code: int, port: int, packet: bytes, flags: int = 0, ether_type: int = IPV4) -> bytes:
    """`packet` behind the CPU header; as in a frame that reached `port`, the source address is the next hop's."""
    source = NEXT_HOPS[port].destination_mac if port < len(NEXT_HOPS) else bytes(6)
    return struct.pack("!BBBHB6sH", 2, code, flags, port, 0x4C, source, ether_type) + packet


def full_checksum(data: bytes, error: int = 0) -> bytes:
    """The checksum field over `data` (RFC 1071), off by `error` (0..0xFFFE) in one's complement."""
    total = 0
    for position in range(0, len(data), 2):
        total += int.from_bytes(data[position : position + 2].ljust(2, b"\0"), "big")
        total = (total & 0xFFFF) + (total >> 16)
    right = total ^ 0xFFFF
    return ((right + error) % 0xFFFF).to_bytes(2, "big") if error else right.to_bytes(2, "big")


def timestamps(value: int, echo: int) -> bytes:
    """The timestamps option (RFC 7323 section 3.2), unpadded."""
    return struct.pack("!BBII", 8, 10, value, echo)


def sack(*edges: int) -> bytes:
    """A SACK option (RFC 2018 section 3) of left and right edges in turn, unpadded."""
    return struct.pack(f"!BB{len(edges)}I", 5, 2 + 4 * len(edges), *edges)


def nops(count: int) -> bytes:
    """`count` no-operation options."""
    return b"\1" * count
