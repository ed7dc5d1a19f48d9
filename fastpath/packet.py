"""The headers of an IP packet with TCP, as a fast path sees them: nothing is judged, only located."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from fastpath.records import Tuple4
from slowpath.wire import options, tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.ip import IPV4, IPV6, Family, ipv6_payload, is_mapped

_TCP_LENGTH = 20
_MORE_FRAGMENTS_OR_OFFSET = 0x3FFF
_PORTS = struct.Struct("!HH")


@dataclass(frozen=True, slots=True)
class Packet:
    """An IP packet of either version, whose fixed header is whole.

    The TCP header may be cut short or lie about its length: `malformed` says so, and only where it is
    False do the properties after it mean anything.
    """

    data: bytes
    """The packet from its version byte on, link padding included."""
    family: Family
    start: int
    """Where what the IP header carries starts, behind IPv4 options or IPv6 extension headers."""
    end: int
    """Where the packet ends by its own length; within `data` if `locate` found it."""
    protocol: int
    """The number of what it carries."""
    is_fragment: bool
    """IPv4: MF is set or the fragment offset is not 0 (RFC 791 section 3.1); IPv6: there is a Fragment header."""

    @classmethod
    def locate(cls, data: bytes) -> Packet | None:
        """Find the headers in `data`; None if it is not IP with TCP or is cut short before its end."""
        packet = cls.unbounded_ipv6(data) if data[:1] and data[0] >> 4 == 6 else cls.unbounded(data)
        if packet is None or packet.protocol != tcp.PROTOCOL:
            return None
        return packet if packet.start <= packet.end <= len(data) else None

    @classmethod
    def unbounded(cls, data: bytes) -> Packet | None:
        """Find the fixed IPv4 header in `data`, as one that cannot know where the frame ends; None without one."""
        if len(data) < IPV4.length or data[0] >> 4 != 4:
            return None
        start, end = (data[0] & 15) * 4, int.from_bytes(data[2:4], "big")
        is_fragment = bool(int.from_bytes(data[6:8], "big") & _MORE_FRAGMENTS_OR_OFFSET)
        return cls(data, IPV4, start, end, data[9], is_fragment) if start >= IPV4.length else None

    @classmethod
    def unbounded_ipv6(cls, data: bytes) -> Packet | None:
        """The same for IPv6: None as well if an extension header is cut short, or an address is IPv4-mapped."""
        if len(data) < IPV6.length or data[0] >> 4 != 6:
            return None
        if is_mapped(data[IPV6.source]) or is_mapped(data[IPV6.destination]):
            return None
        end = IPV6.length + int.from_bytes(data[4:6], "big")
        payload = ipv6_payload(data, end)
        return cls(data, IPV6, payload.start, end, payload.protocol, payload.is_fragment) if payload else None

    @property
    def source_address(self) -> bytes:
        """The source address, packed."""
        return self.data[self.family.source]

    @property
    def destination_address(self) -> bytes:
        """The destination address, packed."""
        return self.data[self.family.destination]

    @property
    def ttl(self) -> int:
        """The time to live or hop limit: 0..255."""
        return self.data[self.family.hop_limit]

    @property
    def has_ip_options(self) -> bool:
        """Whether there are IPv4 options or IPv6 extension headers."""
        return self.start > self.family.length

    @property
    def has_ports(self) -> bool:
        """Whether the packet does not end before its ports do."""
        return self.start + _PORTS.size <= self.end

    @property
    def tuple4(self) -> Tuple4:
        """Addresses and ports, which have to be in `data`."""
        source, destination = _PORTS.unpack_from(self.data, self.start)
        return Tuple4(Endpoint(self.source_address, source), Endpoint(self.destination_address, destination))

    @property
    def malformed(self) -> bool:
        """Whether the TCP header is shorter than 20 bytes or than its data offset says."""
        if self.start + _TCP_LENGTH > self.end:
            return True
        return not self.start + _TCP_LENGTH <= self.payload_start <= self.end

    @property
    def payload_start(self) -> int:
        """Where the TCP header ends by its data offset."""
        return self.start + (self.data[self.start + 12] >> 4) * 4

    @property
    def flags(self) -> int:
        """The TCP flags, CWR to FIN."""
        return self.data[self.start + 13]

    @property
    def sequence(self) -> int:
        """SEG.SEQ."""
        return int.from_bytes(self.data[self.start + 4 : self.start + 8], "big")

    @property
    def acknowledgment(self) -> int:
        """SEG.ACK, whether the ACK flag is set or not."""
        return int.from_bytes(self.data[self.start + 8 : self.start + 12], "big")

    @property
    def payload_length(self) -> int:
        """Bytes of TCP payload."""
        return self.end - self.payload_start

    @property
    def payload(self) -> bytes:
        """The TCP payload."""
        return self.data[self.payload_start : self.end]

    def options(self) -> list[tuple[int, int, int]]:
        """Each TCP option as (kind, offset in `data`, length); raises `slowpath.wire.options.MalformedOptions`."""
        base = self.start + _TCP_LENGTH
        area = self.data[base : self.payload_start]
        return [(kind, base + offset, length) for kind, offset, length in options.locate(area)]
