"""Answers to ICMP echo (RFC 792, RFC 1122 section 3.2.2.6)."""

from __future__ import annotations

from collections.abc import Callable

import dpkt

_TTL = 64


def reply(packet: bytes, is_ours: Callable[[bytes], bool]) -> bytes | None:
    """The IPv4 packet that answers an echo request to an address of ours; None for any other `packet`.

    Requests with IPv4 options, in fragments, or with a wrong checksum are not answered.
    """
    try:
        ip = dpkt.ip.IP(packet)
    except dpkt.UnpackError:
        return None
    if ip.v != 4 or ip.opts or ip.mf or ip.offset or not is_ours(ip.dst):
        return None
    icmp = ip.data
    if not isinstance(icmp, dpkt.icmp.ICMP) or not isinstance(icmp.data, dpkt.icmp.ICMP.Echo):
        return None
    if icmp.type != dpkt.icmp.ICMP_ECHO or icmp.code or dpkt.in_cksum(bytes(icmp)):
        return None
    answer = dpkt.icmp.ICMP(type=dpkt.icmp.ICMP_ECHOREPLY, data=icmp.data)
    return bytes(dpkt.ip.IP(src=ip.dst, dst=ip.src, p=dpkt.ip.IP_PROTO_ICMP, ttl=_TTL, tos=ip.tos, data=answer))
