/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The next hop, from the kernel's own routes and neighbours. */
#pragma once

#include "punt.h"

#define AF_INET 2
#define AF_INET6 10
#define FLOW_INFORMATION 0x0fffffff /* traffic class and flow label */

struct next_hop {
	__u32 length; /* of the longest IP packet that is to leave, as on the wire; 0: the frame's as it is */
	__u32 mtu;    /* set if that is too long */
	__u32 ifindex;
	struct bpf_redir_neigh unresolved; /* nh_family 0: the packet has its Ethernet addresses */
};

/* The length of the longest packet that one with TCP is on the wire, behind an IP header of `ip_length` bytes. */
static __always_inline __u32 length_on_wire(struct __sk_buff *skb, const struct packet *packet, __u32 ip_length)
{
	__u32 payload = packet->payload;

	if (skb->gso_size && skb->gso_size < payload)
		payload = skb->gso_size;
	return ip_length + packet->tcp_length + payload;
}

/*
 * Finds the next hop of a packet with packet->ip or ip6 and `tcp`, for a packet that came by the interface `ifindex`, and
 * sets packet->ethernet if the neighbour is known.
 */
static __noinline bool find_next_hop(struct __sk_buff *skb, __u32 ifindex, struct packet *packet,
					  const struct tcphdr *tcp, struct next_hop *hop)
{
	struct bpf_fib_lookup fib = {
		.l4_protocol = IPPROTO_TCP,
		.sport = tcp->source,
		.dport = tcp->dest,
		.ifindex = ifindex,
		.tot_len = hop->length,
	};

	if (packet->is_ipv6) {
		fib.family = AF_INET6;
		fib.flowinfo = *(__be32 *)&packet->ip6 & bpf_htonl(FLOW_INFORMATION);
		__builtin_memcpy(fib.ipv6_src, &packet->ip6.saddr, sizeof(fib.ipv6_src));
		__builtin_memcpy(fib.ipv6_dst, &packet->ip6.daddr, sizeof(fib.ipv6_dst));
	} else {
		fib.family = AF_INET;
		fib.tos = packet->ip.tos;
		fib.ipv4_src = packet->ip.saddr;
		fib.ipv4_dst = packet->ip.daddr;
	}
	switch (bpf_fib_lookup(skb, &fib, sizeof(fib), 0)) {
	case BPF_FIB_LKUP_RET_SUCCESS:
		__builtin_memcpy(packet->ethernet.h_dest, fib.dmac, ETH_ALEN);
		__builtin_memcpy(packet->ethernet.h_source, fib.smac, ETH_ALEN);
		break;
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		/* The kernel resolves it and sends then; a gateway may be an IPv6 one (RFC 5549). */
		hop->unresolved.nh_family = fib.family;
		__builtin_memcpy(hop->unresolved.ipv6_nh, fib.ipv6_dst, sizeof(fib.ipv6_dst));
		break;
	case BPF_FIB_LKUP_RET_FRAG_NEEDED:
		hop->mtu = fib.mtu_result;
		return false;
	default:
		return false;
	}
	hop->ifindex = fib.ifindex;
	return true;
}

/* Sends a packet whose headers are written. */
static __always_inline int send(struct next_hop *hop)
{
	if (hop->unresolved.nh_family)
		return bpf_redirect_neigh(hop->ifindex, &hop->unresolved, sizeof(hop->unresolved), 0);
	return bpf_redirect(hop->ifindex, 0);
}
