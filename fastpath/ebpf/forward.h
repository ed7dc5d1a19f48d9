/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The next hop, from the kernel's own routes and neighbours. */
#pragma once

#include "punt.h"

#define AF_INET 2

struct next_hop {
	__u32 ifindex;
	struct bpf_redir_neigh unresolved; /* nh_family 0: the packet has its Ethernet addresses */
};

/*
 * Finds the next hop of packet->ip and `tcp`, for a packet that came by the interface `ifindex`, and
 * sets packet->ethernet if the neighbour is known.
 */
static __always_inline bool find_next_hop(struct __sk_buff *skb, __u32 ifindex, struct packet *packet,
					  const struct tcphdr *tcp, struct next_hop *hop)
{
	struct bpf_fib_lookup fib = {
		.family = AF_INET,
		.l4_protocol = packet->ip.protocol,
		.sport = tcp->source,
		.dport = tcp->dest,
		.ifindex = ifindex,
		.tos = packet->ip.tos,
		.ipv4_src = packet->ip.saddr,
		.ipv4_dst = packet->ip.daddr,
	};

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
