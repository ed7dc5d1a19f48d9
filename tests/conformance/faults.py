"""Seeded faults: one wrong line each in the source of the reference, every one of which the vectors must find."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

from fastpath.memory import MemoryFastPath
from fastpath.profile import HOST, Profile
from tests.conformance.memory_target import MemoryTarget

_MODULES = (
    "slowpath.wire.checksum",
    "slowpath.wire.ip",
    "slowpath.wire.icmp",
    "fastpath.packet",
    "fastpath.rewrite",
    "fastpath.layouts",
    "fastpath.tunnel",
    "fastpath.closing",
    "fastpath.lookup",
    "fastpath.profile",
    "fastpath.reference",
    "fastpath.memory",
)
"""What is loaded anew for a mutant, each before those that import it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """In the source of `module`, `right` becomes `wrong`."""

    name: str
    module: str
    right: str
    wrong: str


def seeded_into(module: str) -> Callable[[str, str, str], Fault]:
    """Makes the faults of `module` from name, right and wrong."""
    return lambda name, right, wrong: Fault(name, module, right, wrong)


def source(module: str) -> str:
    """The source text of `module`."""
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None, module
    return Path(spec.origin).read_text()


def mutant(fault: Fault | None, profile: Profile = HOST) -> MemoryTarget:
    """The in-memory fast path with `fault` in it; the modules that are in use stay as they are."""
    with patch.dict(sys.modules):
        for name in _MODULES:
            text = source(name)
            if fault is not None and name == fault.module:
                assert text.count(fault.right) == 1, f"{fault.name}: {fault.right!r} is not in {name} exactly once"
                text = text.replace(fault.right, fault.wrong)
            module = ModuleType(name)
            sys.modules[name] = module
            exec(compile(text, f"mutant of {name}", "exec"), module.__dict__)  # noqa: S102
        kind = sys.modules["fastpath.memory"].MemoryFastPath
        profiles = sys.modules["fastpath.profile"]
    mutated = profiles.HOST if profile is HOST else profiles.SWITCH

    def start(ports: Collection[int], *, profile: Profile, addresses: Mapping[int, bytes]) -> MemoryFastPath:
        path: MemoryFastPath = kind(ports, profile=mutated, addresses=addresses)
        return path

    return MemoryTarget(profile, start)


_rewrite = seeded_into("fastpath.rewrite")
_reference = seeded_into("fastpath.reference")
_profile = seeded_into("fastpath.profile")
_packet = seeded_into("fastpath.packet")
_closing = seeded_into("fastpath.closing")
_memory = seeded_into("fastpath.memory")

_PAST = "sequence.after(sequence.add(packet.sequence, packet.payload_length), pivot)"
_TCP_UPDATE = "_update_checksum(new, tcp.CHECKSUM_OFFSET, data[family.addresses] + old, addresses + bytes(new))"
_TCP_IN_FULL = (
    "from slowpath.wire.checksum import pseudo_header_sum\n"
    "    new[16:18] = bytes(2)\n"
    "    segment = new + data[packet.payload_start : packet.end]\n"
    "    half = len(addresses) // 2\n"
    "    pseudo = pseudo_header_sum(addresses[:half], addresses[half:], 6, len(segment))\n"
    "    new[16:18] = internet_checksum(segment, pseudo).to_bytes(2, 'big')"
)

_REWRITE = (
    _rewrite("SEQ delta off by one", "_add(out, 4, translation.sequence)", "_add(out, 4, translation.sequence + 1)"),
    _rewrite("ACK delta off by one", "_add(out, 8, translation.ack", "_add(out, 8, -1 + translation.ack"),
    _rewrite("ACK delta with the wrong sign", "_add(out, 8, translation.ack", "_add(out, 8, -translation.ack"),
    _rewrite(
        "SEQ and ACK deltas swapped", "_add(out, 4, translation.sequence)", "_add(out, 4, translation.acknowledgment)"
    ),
    _rewrite(
        "ACK changed without its flag",
        "    if acknowledges:\n        _add(out, 8",
        "    if True:\n        _add(out, 8",
    ),
    _rewrite(
        "32-bit sum without the carry between its halves",
        'sequence.add(int.from_bytes(out[field], "big"), delta)',
        '((n := int.from_bytes(out[field], "big")) + delta & 0xFFFF | (n >> 16) + (delta >> 16) << 16 & 0xFFFF0000)',
    ),
    _rewrite("the last SACK edge forgotten", "offset + length, 4)", "offset + length - 4, 4)"),
    _rewrite("SACK left edges only", "offset + length, 4)", "offset + length, 8)"),
    _rewrite("the first SACK block only", "offset + length, 4)", "offset + 10, 4)"),
    _rewrite(
        "SACK by the SEQ delta", "_add(out, edge, translation.acknowledgment)", "_add(out, edge, translation.sequence)"
    ),
    _rewrite("SACK only with the ACK flag", "if kind == options.SACK:", "if kind == options.SACK and acknowledges:"),
    _rewrite("TSval left alone", "_add(out, offset + 2, translation.tsval)", "pass"),
    _rewrite("TSval by the delta of TSecr", "offset + 2, translation.tsval", "offset + 2, translation.tsecr"),
    _rewrite("TSecr changed without the ACK flag", "            if acknowledges:", "            if True:"),
    _rewrite("TTL not decremented", "out[family.hop_limit] = packet.ttl - 1", "pass"),
    _rewrite("ports swapped", "out[0:2] = source_port", "out[0:2] = destination_port"),
    _rewrite(
        "source address kept",
        "out[family.addresses] = addresses",
        "out[family.destination] = addresses[len(addresses) // 2 :]",
    ),
    _rewrite("padding cut off", "data[packet.payload_start :]", "data[packet.payload_start : packet.end]"),
    _rewrite("pseudo-header forgotten", "data[family.addresses] + old, addresses + bytes(new)", "old, bytes(new)"),
    _rewrite(
        "TCP options left out of the checksum",
        "+ old, addresses + bytes(new))",
        "+ old[:20], addresses + bytes(new[:20]))",
    ),
    _rewrite("IPv4 checksum left alone", "_update_checksum(out, _IP_CHECKSUM.start, old, bytes(out))", "pass"),
    _rewrite("TCP checksum computed in full", _TCP_UPDATE, _TCP_IN_FULL),
    Fault(
        "one's complement sum without the carry",
        "slowpath.wire.checksum",
        "total = (total & 0xFFFF) + (total >> 16)",
        "total &= 0xFFFF",
    ),
    Fault(
        "checksum by equation 2 of RFC 1624",
        "slowpath.wire.checksum",
        "ones_complement_sum(inverted) + ones_complement_sum(new)) ^ 0xFFFF",
        "ones_complement_sum(inverted) + ones_complement_sum(new)) ^ 0xFFFF or 0xFFFF",
    ),
)

_OPTIONS_ROWS = "        (_bad_options, Reason.OPTIONS),\n        (_outgrows, Reason.OPTIONS),\n"

_SPLICED = (
    _profile("pivot one too early", "sequence.after(sequence.add(", "not sequence.before(sequence.add("),
    _profile("pivot one too late", "payload_length), pivot)", "payload_length), sequence.add(pivot, 1))"),
    _profile(
        "pivot compared without the wrap", _PAST, _PAST.replace("sequence.after(", "(").replace(", pivot", " > pivot")
    ),
    _profile("pivot against the first byte", "sequence.add(packet.sequence, packet.payload_length)", "packet.sequence"),
    _profile("pivot punts a pure ACK", " and packet.payload_length > 0", ""),
    _profile("pivot toward the client", "return toward_server and not", "return not"),
    _profile("pivot 0 taken for none", "if pivot is None or", "if not pivot or"),
    _profile("pivot of an injected packet", "toward_server and not arrival.injected", "toward_server"),
    _profile("FIN behind data punted", " and packet.payload_length == 0", ""),
    _profile(
        "FIN punted without a pivot", "if arrival.injected or entry.splice.pivot is None or", "if arrival.injected or"
    ),
    _profile("FIN of an injected packet", "if arrival.injected or entry.splice", "if entry.splice"),
    _profile("FIN of the client punted", " or entry.translation.direction != Direction.TO_CLIENT:", ":"),
    _profile("FIN forwarded", "& (tcp.FIN | tcp.RST) == tcp.FIN", "& 0 == tcp.FIN"),
    _profile("TTL 2 dropped", "packet.ttl <= 1", "packet.ttl <= 2"),
    _profile("TTL 1 let through", "packet.ttl <= 1", "packet.ttl < 1"),
    _profile("SYN of a splice forwarded", "bool(packet.flags & tcp.SYN)", "False"),
    _profile("only a SYN without ACK punted", "bool(packet.flags & tcp.SYN)", "packet.flags & 18 == 2"),
    _profile("IPv4 options translated", "return packet.has_ip_options", "return False"),
    _profile("malformed options dropped", "(_bad_options, Reason.OPTIONS)", "(_bad_options, Drop.MALFORMED)"),
    _profile(
        "options judged after the pivot",
        f"{_OPTIONS_ROWS}        (_past_pivot, Reason.PIVOT),\n",
        f"        (_past_pivot, Reason.PIVOT),\n{_OPTIONS_ROWS}",
    ),
)

_DECISION = (
    _profile("fragments of everyone punted", " and packet.destination_address in tables.vips", ""),
    _profile("fragments of nobody punted", "packet.destination_address in tables.vips", "False"),
    _reference("a SYN-ACK taken for a SYN", "packet.flags & (tcp.SYN | tcp.ACK) == tcp.SYN", "packet.flags & tcp.SYN"),
    _reference(
        "injected packets punted to a listener", "    if arrival.injected:\n        return Dropped(Drop.STALE)\n", ""
    ),
    _reference("access list not looked at", "if profile.access and", "if False and"),
    _reference("access of the VIP", "permits(packet.source_address)", "permits(packet.destination_address)"),
    _reference("injected packets expected", "in tables.expected and not arrival.injected", "in tables.expected"),
    _reference(
        "injected packets passed",
        "        if arrival.injected:\n            return",
        "        if False:\n            return",
    ),
    _reference(
        "Ethernet addresses swapped", "hop.destination_mac + hop.source_mac", "hop.source_mac + hop.destination_mac"
    ),
    _reference("the port of the other side", "Sent(hop.port,", "Sent(1 - hop.port,"),
    _reference("every route expects a reply", "if not flags & InjectFlags.EXPECT_REPLY:", "if False:"),
    _reference("a reply expected after a RST", "reply_ends=_is_reset(arrival)", "reply_ends=False"),
    _reference("the packet expected instead of its reply", "Tuple4(key.destination, key.source)", "key"),
    _reference("emit without the swap", "frame[6:12] + frame[:6] + frame[12:]", "frame"),
    _reference("emit on any port", "action == Action.EMIT and port in tables.ports", "action == Action.EMIT"),
    _reference(
        "translate on any port", "action == Action.TRANSLATE and port in tables.ports", "action == Action.TRANSLATE"
    ),
    _reference("port in the wrong byte order", '"!BBBHB"', '"<BBBHB"'),
    _reference("marker not looked at", "(lead, marker) != (cpu.LEAD, cpu.MARKER)", "lead != cpu.LEAD"),
    _reference("punted with flags", "decision, 0, arrival.port", "decision, 1, arrival.port"),
    _reference("EtherType not looked at", "profile.locate.get(_ether_type(frame))", "profile.locate[0x0800]"),
)

_HEADERS = (
    _packet("IHL taken for 5", "(data[0] & 15) * 4", "20"),
    _packet("data offset taken for 5", "(self.data[self.start + 12] >> 4) * 4", "20"),
    _packet(
        "total length not held against the frame",
        "packet.start <= packet.end <= len(data)",
        "packet.start <= packet.end",
    ),
    _packet("IHL below 5 accepted", "if start >= IPV4.length else None", ""),
    _packet("version not looked at", " or data[0] >> 4 != 4", ""),
    _packet("protocol not looked at", " or packet.protocol != tcp.PROTOCOL", ""),
    _packet("MF not looked at", "0x3FFF", "0x1FFF"),
    _packet("DF taken for a fragment", "0x3FFF", "0x7FFF"),
    _packet(
        "TCP header may reach into the padding",
        "self.payload_start <= self.end",
        "self.payload_start <= len(self.data)",
    ),
    _packet(
        "data offset below 5 accepted",
        "return not self.start + _TCP_LENGTH <= self.payload_start",
        "return not self.payload_start",
    ),
    _packet(
        "padding taken for payload",
        "return self.end - self.payload_start",
        "return len(self.data) - self.payload_start",
    ),
    _packet(
        "ports read from the padding",
        "self.start + _PORTS.size <= self.end",
        "self.start + _PORTS.size <= len(self.data)",
    ),
)

_END = (
    _closing("a FIN counts for nothing", "left.payload_length + 1", "left.payload_length"),
    _closing("a FIN's data counts for nothing", "left.payload_length + 1", "1"),
    _closing("a FIN in the sender's numbering", "sequence.add(left.sequence", "sequence.add(arrived.sequence"),
    _closing(
        "an ACK in the receiver's numbering",
        "sequence.before(arrived.acknowledgment",
        "sequence.before(left.acknowledgment",
    ),
    _closing("the ACK flag not looked at", "arrived.flags & tcp.ACK and ", ""),
    _closing(
        "an ACK must go past the FIN",
        "not sequence.before(arrived.acknowledgment, end)",
        "sequence.after(arrived.acknowledgment, end)",
    ),
    _closing(
        "ACK compared without the wrap",
        "not sequence.before(arrived.acknowledgment, end)",
        "arrived.acknowledgment >= end",
    ),
    _closing("one FIN is enough", "all(self._acknowledged)", "any(self._acknowledged)"),
    _closing("an ACK covers its own side's FIN", "end = self._ends[other]", "end = self._ends[direction]"),
    _closing("reported again and again", "self._reported |= causes", "pass"),
    _closing("a reset reported as a close", "causes |= Cause.RESET", "causes |= Cause.FINS"),
)

_COUNTS = (
    Fault(
        "padding counted",
        "fastpath.profile",
        "counted=lambda packet: packet.end",
        "counted=lambda packet: len(packet.data)",
    ),
    Fault(
        "counted for the other direction",
        "fastpath.memory",
        "(Traffic(), Traffic()))[direction]",
        "(Traffic(), Traffic()))[1 - direction]",
    ),
    Fault("drops not counted", "fastpath.memory", "self._drops[verdict.reason] += 1", "pass"),
    Fault("punts not counted", "fastpath.memory", "self._punts[verdict.reason] += 1", "pass"),
)

_HOLDS = "tables.precedents.get((splice.flow.vip, splice.server, splice.server_id, packet.payload))"
_PRECEDENTS = (
    _reference("precedents for all", "not splice.follows_precedents or", "False or"),
    _reference("precedents for any SEQ", "packet.sequence != splice.pivot or", "False or"),
    _reference("precedents with a FIN", "packet.flags & ~_DATA_FLAGS != tcp.ACK", "False"),
    _reference("precedents after a FIN", " or entry.ending or", " or"),
    _reference("precedents of any length", " or packet.payload_length > HEAD_LIMIT", ""),
    _reference("precedents before an answer", "_has_progressed(packet, followed):", "True:"),
    _reference("precedents of any server", _HOLDS, "next(iter(tables.precedents.values()), None)"),
    _reference("pivot not moved behind it", "Followed(end,", "Followed(packet.sequence,"),
    _memory("precedents that are over", "if precedent.until <= self._now:", "if False:"),
    _memory("labels mixed up", "self._labels[follow.precedent.label]", "self._labels[0]"),
)

FAULTS = (*_REWRITE, *_SPLICED, *_DECISION, *_HEADERS, *_END, *_COUNTS, *_PRECEDENTS)
