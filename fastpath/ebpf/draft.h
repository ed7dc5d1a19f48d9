/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Packets of our own to servers: one takes the place of a packet that has come. */
#pragma once

#include "forward.h"
#include "write.h"

/* What is being made up; there is no room for it on the stack. */
struct draft {
	struct segment_header header;
	__u32 length;  /* of that header, */
	__u32 payload; /* and of the head behind it, or 0 */
	__wsum pseudo; /* the difference to the pseudo-header of what has come, */
	__wsum body;   /* and that to its payload */
	struct next_hop hop;
	struct ipv4_tuple forth; /* what the client's packets carry, */
	struct ipv4_tuple back;  /* and the server's: the draft goes the other way */
	struct asked asked;  /* a copy: the record's own gives way to counts */
	__u32 path;	     /* and what else a new record holds */
	__u32 flags;
	struct tuple taken; /* draft->back, to be looked for */
	__be32 old[3];	    /* the pseudo-headers, but for the protocol */
	__be32 new[3];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct draft);
} l7lb_draft SEC(".maps");

static __always_inline struct draft *draft_of_this_cpu(void)
{
	__u32 first = 0;

	return bpf_map_lookup_elem(&l7lb_draft, &first);
}

/*
 * Gives the packet the IP header of what is drafted, for `packet`, which has come by `ifindex`, and finds the next hop.
 * False if there is none, or one that does not take `longest` bytes of IP. The frame is left as it is.
 */
__noinline int route_draft(struct __sk_buff *skb, __u32 ifindex, struct packet *packet, __u32 longest)
{
	struct draft *draft = draft_of_this_cpu();

	if (!draft || !packet)
		return false;
	draft->old[0] = packet->ip.saddr;
	draft->old[1] = packet->ip.daddr;
	draft->old[2] = bpf_htonl(packet->tcp_length + packet->payload);
	draft->new[0] = draft->back.destination;
	draft->new[1] = draft->back.source;
	draft->new[2] = bpf_htonl(draft->length + draft->payload);
	draft->pseudo = bpf_csum_diff(draft->old, sizeof(draft->old), draft->new, sizeof(draft->new), 0);
	make_ipv4(&packet->ip, 0, draft->length + draft->payload, OUR_TTL, draft->back.destination, draft->back.source);
	draft->hop = (struct next_hop){ .length = longest };
	return find_next_hop(skb, ifindex, packet, &draft->header.fixed, &draft->hop);
}

/*
 * Writes what was drafted and routed into the frame, and `admission`'s head behind it if it is to have one. Its checksum
 * is brought from the old packet's: it may be one that an offload completes.
 */
static __noinline bool write_draft(struct __sk_buff *skb, struct packet *packet, struct draft *draft,
				   const struct admission *admission)
{
	const __u32 offset = IP_OFFSET + sizeof(struct iphdr), checksum = offset + offsetof(struct tcphdr, check);
	__u32 length = draft->length, payload = draft->payload, old = packet->tcp_length;
	__wsum difference;

	if (length < sizeof(struct tcphdr) || length > sizeof(draft->header) || old < sizeof(struct tcphdr) ||
	    old > sizeof(packet->tcp))
		return false;
	/* Until it is corrected, the checksum is the old one, in both headers. */
	draft->header.fixed.check = packet->tcp.fixed.check;
	difference = bpf_csum_diff((__be32 *)&packet->tcp, old, (__be32 *)&draft->header, length, draft->body);
	if (bpf_skb_change_tail(skb, offset + length + payload, 0) || !write_ip(skb, packet, false) ||
	    bpf_skb_store_bytes(skb, offset, &draft->header, length, 0))
		return false;
	if (payload && (!admission || payload > ADMISSION_MOST ||
			bpf_skb_store_bytes(skb, offset + length, admission->head, payload, 0)))
		return false;
	return !bpf_l4_csum_replace(skb, checksum, 0, draft->pseudo, BPF_F_PSEUDO_HDR) &&
	       !bpf_l4_csum_replace(skb, checksum, 0, difference, 0);
}
