/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* ICMP errors of both versions: whose packet they are about (slowpath/wire/icmp.py says the same). */
#pragma once

#include "packet.h"

/* linux/icmp.h needs headers of the C library. */
enum icmp_error { DEST_UNREACH = 3, TIME_EXCEEDED = 11, PARAMETER_PROBLEM = 12 };
enum icmp6_error { DEST_UNREACH6 = 1, PACKET_TOO_BIG6, TIME_EXCEEDED6, PARAMETER_PROBLEM6 };

#define FRAGMENT_OFFSET_MASK 0x1fff
#define LEAST_QUOTED 8 /* bytes of TCP: ports and SEQ */

struct icmp_header {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be32 parameter;
};

/* The beginning of the packet that an error is about. */
struct quote {
	union {
		struct iphdr ip;
		struct ipv6hdr ip6;
	};
	__be16 ports[2];
};

static __always_inline bool is_error(const struct packet *packet, __u8 type)
{
	if (packet->is_ipv6)
		return type >= DEST_UNREACH6 && type <= PARAMETER_PROBLEM6;
	return type == DEST_UNREACH || type == TIME_EXCEEDED || type == PARAMETER_PROBLEM;
}

/* The length of the quoted packet's IP header; 0 unless TCP follows, from its first byte on. */
static __always_inline __u32 quoted_length(const struct packet *packet, const struct quote *quote)
{
	if (packet->is_ipv6) {
		/* No key has addresses of both versions: if the one is not IPv4-mapped, no matter what the other is. */
		bool readable = quote->ip6.version == 6 && quote->ip6.nexthdr == IPPROTO_TCP &&
				!is_mapped((const struct address *)&quote->ip6.saddr);

		return readable ? sizeof(quote->ip6) : 0;
	}
	if (quote->ip.version != 4 || quote->ip.protocol != IPPROTO_TCP || quote->ip.ihl * 4 < sizeof(quote->ip) ||
	    quote->ip.frag_off & bpf_htons(FRAGMENT_OFFSET_MASK))
		return 0;
	return quote->ip.ihl * 4;
}

/* Whether an IP packet, whose fixed header was read, is whole, no fragment, and ICMP follows; judges it, too. */
static __always_inline bool locate_icmp(struct __sk_buff *skb, struct packet *packet)
{
	if (packet->is_ipv6) {
		packet->ip_length = sizeof(packet->ip6);
		packet->total = sizeof(packet->ip6) + bpf_ntohs(packet->ip6.payload_len);
		if (packet->ip6.version != 6 || packet->ip6.nexthdr != IPPROTO_ICMPV6 ||
		    is_mapped((const struct address *)&packet->ip6.saddr) ||
		    is_mapped((const struct address *)&packet->ip6.daddr))
			return false;
	} else {
		packet->ip_length = packet->ip.ihl * 4;
		packet->total = bpf_ntohs(packet->ip.tot_len);
		if (packet->ip.version != 4 || packet->ip.protocol != IPPROTO_ICMP ||
		    packet->ip_length < sizeof(packet->ip) || packet->ip.frag_off & bpf_htons(FRAGMENT_MASK))
			return false;
	}
	return IP_OFFSET + packet->total <= skb->len;
}

/*
 * Reads what an ICMP error is about: the addresses and ports of the answers to that packet, in `answer`. False for
 * all that is not TCP in ICMP. Not static, so that the verifier looks at it once.
 */
__noinline int read_error(struct __sk_buff *skb, struct packet *packet, struct tuple *answer)
{
	struct icmp_header icmp = {};
	struct quote quote = {};
	__u32 offset, length;

	if (!packet || !answer || !read_headers(skb, packet) || skb->vlan_present || !locate_icmp(skb, packet))
		return false;
	offset = IP_OFFSET + packet->ip_length;
	length = fixed_length(packet);
	if (packet->ip_length + sizeof(icmp) + length + LEAST_QUOTED > packet->total ||
	    bpf_skb_load_bytes(skb, offset, &icmp, sizeof(icmp)) || !is_error(packet, icmp.type))
		return false;
	offset += sizeof(icmp);
	if (packet->is_ipv6 ? bpf_skb_load_bytes(skb, offset, &quote.ip6, sizeof(quote.ip6))
			    : bpf_skb_load_bytes(skb, offset, &quote.ip, sizeof(quote.ip)))
		return false;
	length = quoted_length(packet, &quote);
	if (!length || packet->ip_length + sizeof(icmp) + length + LEAST_QUOTED > packet->total ||
	    bpf_skb_load_bytes(skb, offset + length, quote.ports, sizeof(quote.ports)))
		return false;
	if (packet->is_ipv6) {
		__builtin_memcpy(&answer->source, &quote.ip6.daddr, sizeof(answer->source));
		__builtin_memcpy(&answer->destination, &quote.ip6.saddr, sizeof(answer->destination));
	} else {
		answer->source = mapped(quote.ip.daddr);
		answer->destination = mapped(quote.ip.saddr);
	}
	answer->source_port = quote.ports[1];
	answer->destination_port = quote.ports[0];
	return true;
}
