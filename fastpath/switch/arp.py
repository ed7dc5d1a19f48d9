"""ARP over Ethernet for IPv4 (RFC 826): bytes to values and back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import dpkt

ETHERTYPE = dpkt.ethernet.ETH_TYPE_ARP
BROADCAST = b"\xff" * 6
_ETHERNET, _IPV4 = dpkt.arp.ARP_HRD_ETH, dpkt.arp.ARP_PRO_IP
_SMALLEST_PAYLOAD = 46
"""Bytes of payload in the smallest Ethernet frame; the rest is padding (IEEE 802.3 section 3.2.8)."""


class Operation(IntEnum):
    """Request or reply; everything else is not for us."""

    REQUEST = dpkt.arp.ARP_OP_REQUEST
    REPLY = dpkt.arp.ARP_OP_REPLY


@dataclass(frozen=True, slots=True)
class Arp:
    """An ARP packet; addresses are packed, 6 bytes of hardware and 4 of protocol address."""

    operation: Operation
    sender_mac: bytes
    sender: bytes
    target_mac: bytes
    target: bytes


def parse(data: bytes) -> Arp | None:
    """Read the packet behind an Ethernet header, padding included; None if it is no ARP of Ethernet and IPv4."""
    try:
        arp = dpkt.arp.ARP(data)
        operation = Operation(arp.op)
    except (dpkt.UnpackError, ValueError):
        return None
    if (arp.hrd, arp.pro, arp.hln, arp.pln) != (_ETHERNET, _IPV4, 6, 4):
        return None
    return Arp(operation, arp.sha, arp.spa, arp.tha, arp.tpa)


def build(arp: Arp) -> bytes:
    """The packet behind an Ethernet header, padded to the smallest frame."""
    packet = dpkt.arp.ARP(op=arp.operation, sha=arp.sender_mac, spa=arp.sender, tha=arp.target_mac, tpa=arp.target)
    return bytes(packet).ljust(_SMALLEST_PAYLOAD, b"\0")
