"""Seeded faults in the C source: the vectors must find every one in the program that the kernel runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.checks import check_vector
from tests.conformance.ebpf_mutants import Fault, mutant
from tests.conformance.vectors import VECTORS

FAULTS = (
    Fault("SEQ off by one", "translate.h", "tcp->seq, translation->sequence)", "tcp->seq, translation->sequence + 1)"),
    Fault("ACK without its flag", "translate.h", "if (packet->flags & FLAG_ACK)", "if (1)"),
    Fault(
        "SACK by the SEQ delta", "options.h", "4 * edge, translation->acknowledgment", "4 * edge, translation->sequence"
    ),
    Fault("ports swapped", "translate.h", "tcp->source = becomes->source_port", "tcp->source = tcp->dest"),
    Fault("TTL kept", "translate.h", "ip->ttl--", "(void)0"),
    Fault("hop limit kept", "translate.h", "ip->hop_limit--", "(void)0"),
    Fault("TTL 1 let through", "translate.h", "time_to_live(packet) <= 1", "time_to_live(packet) < 1"),
    Fault(
        "addresses left out of the checksum",
        "translate.h",
        "return bpf_csum_diff(&old.saddr, 2 * sizeof(__be32)",
        "return 0 & bpf_csum_diff(&old.saddr, 2 * sizeof(__be32)",
    ),
    Fault("half the addresses in the checksum", "translate.h", "length = 2 * sizeof(struct in6_addr)", "length = 16"),
    Fault("hop limit lost on the way to IPv4", "translate.h", "packet->ip6.hop_limit - 1", "packet->ip6.hop_limit"),
    Fault("traffic class lost on the way to IPv6", "translate.h", "packet->ip.tos, length", "0, length"),
    Fault("checksum of the version before", "translate.h", "(__u16)~folded(old)", "(__u16)folded(old)"),
    Fault("IPv4-mapped sources let in", "packet.h", "is_mapped((struct address *)&packet->ip6.saddr)", "0"),
    Fault("IPv4-mapped destinations let in", "packet.h", "is_mapped((struct address *)&packet->ip6.daddr)", "0"),
    Fault("version not compared", "packet.h", "packet->ip6.version != 6 ||", ""),
    Fault("three extension headers at most", "packet.h", "MAX_EXTENSION_HEADERS 4", "MAX_EXTENSION_HEADERS 3"),
    Fault("length of an extension header", "packet.h", "EXTENSION_UNIT * extension.units", "extension.units"),
    Fault(
        "EtherType kept",
        "write.h",
        "packet->ethernet.h_proto = protocol;",
        "",
    ),
    Fault("payload length without the header", "packet.h", "sizeof(struct ipv6hdr) + bpf_ntohs(", "bpf_ntohs("),
    Fault("pivot one too early", "translate.h", "(splice->pivot - end) < 0", "(splice->pivot - end) <= 0"),
    Fault("pivot without the wrap", "translate.h", "(__s32)(splice->pivot - end) < 0", "splice->pivot < end"),
    Fault("pivot of an injected packet", "translate.h", "!arrival->injected && is_past", "is_past"),
    Fault("precedents for all", "precedent.h", "splice->flags & FOLLOWS_PRECEDENTS &&", ""),
    Fault("precedents for any SEQ", "precedent.h", "bpf_ntohl(packet->tcp.fixed.seq) == splice->pivot &&", ""),
    Fault("precedents with a FIN", "precedent.h", "(packet->flags & ~FLAGS_OF_DATA) == FLAG_ACK", "1"),
    Fault("precedents after a FIN", "precedent.h", " && !(splice->closing & ~FOLLOWED)", ""),
    Fault("precedents before an answer", "precedent.h", "response_start) > 0", "response_start) >= 0"),
    Fault("precedents that are over", "precedent.h", " || precedent->until <= bpf_ktime_get_coarse_ns()", ""),
    Fault("precedents of another path", "precedent.h", "key = { .path = splice->path }", "key = {}"),
    Fault("pivot not moved behind it", "precedent.h", "start, start + packet->payload)", "start, start)"),
    Fault("a head's last bytes", "precedent.h", "last | (__u64)length", "0 * last | (__u64)length"),
    Fault("what a longer head has left", "precedent.h", " & (1ull << length % 8 * 8) - 1 :", " :"),
    Fault("all in the first label", "precedent.h", "&precedent->label", "&key.zero"),
    Fault("SYN forwarded", "translate.h", "if (packet->flags & FLAG_SYN)", "if (0)"),
    Fault("direction of a counter", "translate.h", "path->server_id + direction", "path->server_id"),
    Fault("last SACK edge forgotten", "options.h", "2 + 4 * edge < option.length", "6 + 4 * edge < option.length"),
    Fault("TSecr left alone", "options.h", "add_at(header, option.offset + 6, translation->tsecr)", "(void)0"),
    Fault("option past the header", "options.h", " && offset + option->length <= end ", " "),
    Fault("carry lost", "write.h", "~folded((__u64)difference + (__u16)~checksum)", "~(difference + (__u16)~checksum)"),
    Fault(
        "TCP checksum left alone",
        "write.h",
        "pseudo, BPF_F_PSEUDO_HDR) &&\n",
        "pseudo & skb->mark, BPF_F_PSEUDO_HDR) &&\n",
    ),
    Fault("fragments taken for whole", "packet.h", "0x3fff", "0x2000"),
    Fault("data offset not compared", "packet.h", " && length <= available", ""),
    Fault("FIN one too short", "closing.h", "packet->payload + 1", "packet->payload"),
    Fault("FIN in the sender's numbers", "closing.h", "sequence += direction == TO_CLIENT ? splice->delta : 0;", ""),
    Fault("RST of another side", "closing.h", "RESET_TO_SERVER << direction;", "RESET_TO_SERVER;"),
    Fault("one FIN is enough", "closing.h", "(after & CLOSING_FINS) == CLOSING_FINS", "after & CLOSING_FINS"),
    Fault("access list not looked at", "access.h", "return served && *served;", "return served;"),
    Fault("access list of another listener", "access.h", ".list = offer->access", ".list = 1"),
    Fault("access of the VIP", "l7lb.bpf.c", "is_served(offer, &key->source)", "is_served(offer, &key->destination)"),
    Fault("marker not compared", "l7lb.bpf.c", "header.marker != CPU_MARKER", "0"),
    Fault("reply expected after a RST", "l7lb.bpf.c", "packet->flags & FLAG_RST)\n\t\tbpf", "0)\n\t\tbpf"),
    Fault("reply expected the wrong way", "l7lb.bpf.c", "key = reversed(&sent)", "key = sent"),
    Fault("ICMP errors passed", "l7lb.bpf.c", "!arrival->injected && read_error", "0 && read_error"),
    Fault(
        "errors about what others sent",
        "icmp.h",
        "answer->source_port = quote.ports[1]",
        "answer->source_port = quote.ports[0]",
    ),
    Fault("errors about splices passed", "l7lb.bpf.c", "find_splice(answer) || ", ""),
    Fault("errors about listeners' packets passed", "l7lb.bpf.c", "offer_at(answer) || ", ""),
    Fault("errors about probes passed", "l7lb.bpf.c", " || is_expected(answer)", ""),
    Fault("nine bytes of TCP wanted", "icmp.h", "LEAST_QUOTED 8", "LEAST_QUOTED 9"),
    Fault("later fragments taken for the packet", "icmp.h", "FRAGMENT_OFFSET_MASK 0x1fff", "FRAGMENT_OFFSET_MASK 0"),
    Fault("quotes with IPv4 options misread", "icmp.h", "return quote->ip.ihl * 4;", "return 20;"),
    Fault("IPv4-mapped quotes", "icmp.h", " &&\n\t\t\t\t!is_mapped((const struct address *)&quote->ip6.saddr)", ""),
    Fault("any MTU", "translate.h", "hop.length = length_on_wire", "(void)length_on_wire"),
    Fault("the length on arrival", "translate.h", "packet, fixed_length(packet))", "packet, packet->ip_length)"),
    Fault("the MTU not told", "punt.h", "limit = bpf_htons(mtu)", "limit = 0"),
    Fault("our own packets of any length", "l7lb.bpf.c", "hop.length = length_on_wire", "(void)length_on_wire"),
    Fault("port of a punt", "punt.h", "header.port[1] = *port", "header.port[1] = 0"),
    Fault("next hop's address as the source", "forward.h", "h_source, fib.smac", "h_source, fib.dmac"),
)


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_the_vectors_find(fault: Fault, tmp_path: Path) -> None:
    target = mutant(tmp_path, fault)
    try:
        with pytest.raises(AssertionError):
            for vector in VECTORS:
                check_vector(target, vector)
    finally:
        target.close()
