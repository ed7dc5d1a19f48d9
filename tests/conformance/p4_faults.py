"""Seeded faults in the P4 source that all architectures have in common, each with a vector that must find it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """In `file` (below p4_tofino), `right` becomes `wrong`, and the vector named `found_by` fails."""

    name: str
    file: str
    right: str
    wrong: str
    found_by: str


ACK, BACK = "to server: a bare ACK", "to client: a bare ACK"
"""Vectors that find what is wrong with every packet of a direction."""

_PARSER = (
    Fault(
        "more fragments not looked at",
        "pipeline/states.p4",
        "(0x45, 0 &&& 0x3FFF, PROTOCOL_TCP) : tcp;",
        "(0x45, 0 &&& 0x1FFF, PROTOCOL_TCP) : tcp;",
        "punted fragment: the first one",
    ),
    Fault(
        "IPv4 options taken for TCP",
        "pipeline/states.p4",
        "(0x45, 0 &&& 0x3FFF, PROTOCOL_TCP) : tcp;",
        "(0x40 &&& 0xF0, 0 &&& 0x3FFF, PROTOCOL_TCP) : tcp;",
        "punted options: IPv4 options",
    ),
    Fault(
        "IHL 4 taken for fragments",
        "pipeline/states.p4",
        "(0x44, _, _) : accept;",
        "",
        "passed: IHL 4",
    ),
    Fault(
        "CPU header's marker not compared",
        "pipeline/states.p4",
        "(CPU_LEAD, CPU_TRANSLATE, CPU_MARKER)",
        "(CPU_LEAD, CPU_TRANSLATE, _)",
        "injected and refused: another marker",
    ),
    Fault(
        "CPU header's lead not compared",
        "pipeline/states.p4",
        "(CPU_LEAD, CPU_TRANSLATE, CPU_MARKER)",
        "(_, CPU_TRANSLATE, CPU_MARKER)",
        "injected and refused: another lead byte",
    ),
    Fault(
        "options of no layout translated",
        "pipeline/states.p4",
        "meta.unknown_options = 1;",
        "",
        "punted options: switch, one word of NOPs",
    ),
    Fault(
        "SACK of two blocks unknown",
        "headers.p4",
        "0x01010512",
        "0x01010513",
        "to server: SACK, 2 blocks",
    ),
    Fault(
        "timestamps by their kind alone",
        "headers.p4",
        "0x0101080A",
        "0x0101080B",
        "to client: timestamps at offset 2",
    ),
    Fault(
        "headers that were cut short taken for whole",
        "pipeline/decide.p4",
        "hdr.tcp.isValid() && whole",
        "hdr.tcp.isValid()",
        "cut short: within timestamps",
    ),
)

_REWRITE = (
    Fault(
        "TTL kept",
        "pipeline/rewrite.p4",
        "hdr.ipv4.ttl - 1",
        "hdr.ipv4.ttl",
        ACK,
    ),
    Fault(
        "SEQ off by one",
        "pipeline/rewrite.p4",
        "hdr.tcp.sequence + meta.delta",
        "hdr.tcp.sequence + meta.delta + 1",
        BACK,
    ),
    Fault(
        "ACK with the wrong sign",
        "pipeline/rewrite.p4",
        "hdr.tcp.acknowledgment - meta.delta",
        "hdr.tcp.acknowledgment + meta.delta",
        ACK,
    ),
    Fault(
        "ACK without its flag",
        "pipeline/rewrite.p4",
        "(hdr.tcp.flags & TCP_ACK) != 0",
        "true",
        "to server: without the ACK flag the ACK number stays",
    ),
    Fault(
        "SACK by a saturating difference",
        "pipeline/rewrite.p4",
        "hdr.sack_1.left_edge - meta.delta",
        "hdr.sack_1.left_edge |-| meta.delta",
        "to server: layout SACK 1, alone",
    ),
    Fault(
        "right edge of SACK block 4 forgotten",
        "pipeline/rewrite.p4",
        "hdr.sack_4.right_edge = hdr.sack_4.right_edge - meta.delta;",
        "",
        "to server: SACK, 4 blocks",
    ),
    Fault(
        "left edge of SACK block 2 moved twice",
        "pipeline/rewrite.p4",
        "hdr.sack_2.left_edge - meta.delta",
        "hdr.sack_2.left_edge - meta.delta - meta.delta",
        "to server: timestamps and SACK, 2 blocks",
    ),
    Fault(
        "ports swapped",
        "pipeline/rewrite.p4",
        "hdr.tcp.source_port = meta.becomes.source_port",
        "hdr.tcp.source_port = meta.becomes.destination_port",
        ACK,
    ),
    Fault(
        "source address kept",
        "pipeline/rewrite.p4",
        "hdr.ipv4.source = meta.becomes.source_address;",
        "",
        BACK,
    ),
)

_OUTPUT = (
    Fault(
        "second lead sent before the timestamps",
        "headers.p4",
        "    timestamps_h timestamps;\n    option_lead_h second_lead;",
        "    option_lead_h second_lead;\n    timestamps_h timestamps;",
        "to server: timestamps and SACK, 2 blocks",
    ),
    Fault(
        "the path's next hop ignored",
        "pipeline/paths.p4",
        "meta.next_hop = next_hop;",
        "",
        ACK,
    ),
    Fault(
        "next hop's addresses swapped",
        "pipeline/next_hops.p4",
        "hdr.ethernet.source = source;",
        "hdr.ethernet.source = destination;",
        ACK,
    ),
    Fault(
        "outer length without the inner Ethernet header",
        "pipeline/routes.p4",
        "(20 + 8 + 8 + 14)",
        "(20 + 8 + 8)",
        "tunnel: a bare ACK",
    ),
    Fault(
        "UDP length without the VXLAN header",
        "pipeline/routes.p4",
        "(8 + 8 + 14)",
        "(8 + 14)",
        "tunnel: a bare ACK",
    ),
    Fault(
        "outer DF not set",
        "pipeline/next_hops.p4",
        "flags_offset = IPV4_DONT_FRAGMENT",
        "flags_offset = 0",
        "tunnel: a bare ACK",
    ),
    Fault(
        "a tunnel's source port that is not dynamic",
        "pipeline/next_hops.p4",
        "meta.entropy | 0xC000",
        "meta.entropy",
        "tunnel: a bare ACK",
    ),
    Fault(
        "emit without the swap",
        "pipeline/act.p4",
        "hdr.ethernet.source = sender;",
        "",
        "injected to emit: ARP",
    ),
    Fault(
        "port of a punt",
        "pipeline/act.p4",
        "meta.verdict ++ 8w0 ++ meta.port",
        "meta.verdict ++ 8w0 ++ 16w0",
        "punted syn: on the servers' side",
    ),
    Fault(
        "a FIN not reported",
        "pipeline/act.p4",
        "(TCP_FIN | TCP_RST)",
        "TCP_RST",
        "switch closing: both FINs, the client first",
    ),
)

_DECISIONS = (
    Fault(
        "malformed headers translated",
        "pipeline/inspect.p4",
        "(SEGMENT_MALFORMED, _, _, _, _) : decide_spliced(DROP_MALFORMED, 0);",
        "",
        "dropped malformed: data offset 4",
    ),
    Fault(
        "SYN of a splice translated",
        "pipeline/inspect.p4",
        "(_, TCP_SYN &&& TCP_SYN, _, _, _) : decide_spliced(PUNT_SYN, 0);",
        "",
        "punted syn: of a spliced client",
    ),
    Fault(
        "TTL 1 translated",
        "pipeline/inspect.p4",
        "(_, _, _, _, 0 &&& 0xFE) : decide_spliced(DROP_TTL, 0);",
        "(_, _, _, _, 0) : decide_spliced(DROP_TTL, 0);",
        "dropped ttl: 1 toward the server",
    ),
    Fault(
        "TTL before the pivot",
        "pipeline/inspect.p4",
        "decide_spliced(DROP_TTL, 1)",
        "decide_spliced(DROP_TTL, 0)",
        "punted pivot: with TTL 1",
    ),
    Fault(
        "a SYN-ACK taken for a SYN",
        "pipeline/inspect.p4",
        "TCP_SYN &&& (TCP_SYN | TCP_ACK)",
        "TCP_SYN &&& TCP_SYN",
        "punted miss: a SYN-ACK",
    ),
    Fault(
        "stale segments punted",
        "pipeline/inspect.p4",
        "(_, _, ENTRY_TRANSLATE, _) : decide(DROP_STALE);",
        "",
        "injected to translate: neither splice nor listener",
    ),
    Fault(
        "pivot bit ignored",
        "pipeline/settle.p4",
        "meta.pivot_and_path[PATH_BITS:PATH_BITS] == 1 && ",
        "",
        "to server: an even payload",
    ),
    Fault(
        "pivot of the server",
        "pipeline/settle.p4",
        "meta.direction == TO_SERVER && meta.pivot",
        "meta.pivot",
        "to client: the pivot is not the server's",
    ),
    Fault(
        "the client of an override ignored",
        "pipeline/overrides.p4",
        "meta.becomes.destination_address = destination_address;",
        "meta.becomes.destination_address = hdr.ipv4.destination;",
        "to client: SNAT",
    ),
    Fault(
        "the source of an override ignored",
        "pipeline/overrides.p4",
        "meta.becomes.source_port = source_port;",
        "meta.becomes.source_port = hdr.tcp.source_port;",
        "to server: SNAT",
    ),
    Fault(
        "payload by one byte",
        "pipeline/classify.p4",
        "(5, 40..40) : empty();",
        "(5, 40..41) : empty();",
        "punted pivot: payload by the total length alone",
    ),
    Fault(
        "total length one byte short",
        "pipeline/classify.p4",
        "(8, 0..51) : malformed();",
        "(8, 0..50) : malformed();",
        "dropped malformed: switch, timestamps past the total length",
    ),
    Fault(
        "frames for others taken",
        "pipeline/inspect.p4",
        "(ENTRY_WIRE, _, _, _, _) : decide_finally(DROP_ADDRESS);",
        "(ENTRY_WIRE, _, _, _, _) : admit();",
        "switch: not ours, a spliced packet",
    ),
    Fault(
        "translate on any port",
        "pipeline/inspect.p4",
        "(ENTRY_TRANSLATE, 1, _, _, _)",
        "(ENTRY_TRANSLATE, _, _, _, _)",
        "injected and refused: translate on an unknown port",
    ),
    Fault(
        "hash of the server's port in the place of its client's",
        "pipeline/digest.p4",
        "meta.becomes.destination_address, meta.becomes.destination_port, meta.server_group",
        "meta.becomes.destination_address, hdr.tcp.source_port, meta.server_group",
        BACK,
    ),
)

FAULTS = (*_PARSER, *_REWRITE, *_OUTPUT, *_DECISIONS)
