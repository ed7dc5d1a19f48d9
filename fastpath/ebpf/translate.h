/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The rewrite (design section 2): decided on copies of the headers, written at once. */
#pragma once

#include "closing.h"
#include "forward.h"
#include "options.h"

static __always_inline __be32 added(__be32 number, __u32 delta)
{
	return bpf_htonl(bpf_ntohl(number) + delta);
}

/* Translates walk->header, a copy of the packet's TCP header; false if its options are malformed. */
static __always_inline bool translate_tcp(const struct translation *translation, const struct packet *packet,
					  struct walk *walk)
{
	struct tcphdr *tcp = &walk->header.fixed;

	walk->end = packet->tcp_length - sizeof(struct tcphdr);
	walk->deltas.edges = translation->acknowledgment;
	walk->deltas.tsval = translation->tsval;
	tcp->source = translation->becomes.source_port;
	tcp->dest = translation->becomes.destination_port;
	tcp->seq = added(tcp->seq, translation->sequence);
	if (packet->flags & FLAG_ACK) {
		tcp->ack_seq = added(tcp->ack_seq, translation->acknowledgment);
		walk->deltas.tsecr = translation->tsecr;
	}
	return translate_options(walk);
}

/* HC' = ~(~HC + ~m + m') (RFC 1624 equation 3), where `difference` is ~m + m'. */
static __always_inline __sum16 updated(__sum16 checksum, __wsum difference)
{
	__u64 sum = (__u64)difference + (__u16)~checksum;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Sets the addresses and counts the TTL down; returns the difference of the addresses, for the TCP checksum. */
static __always_inline __wsum translate_ip(const struct translation *translation, struct iphdr *ip)
{
	struct iphdr old = *ip;

	ip->saddr = translation->becomes.source.words[3];
	ip->daddr = translation->becomes.destination.words[3];
	ip->ttl--;
	/* Both hold the old checksum, which cancels out. */
	ip->check = updated(ip->check, bpf_csum_diff((__be32 *)&old, sizeof(old), (__be32 *)ip, sizeof(*ip), 0));
	return bpf_csum_diff(&old.saddr, 2 * sizeof(__be32), &ip->saddr, 2 * sizeof(__be32), 0);
}

/*
 * Writes the headers of a packet whose copy has become `new`, and brings the TCP checksum to it: the
 * addresses count as the pseudo-header, all that a checksum still to be completed (CHECKSUM_PARTIAL)
 * has summed up. True if it worked.
 */
static __always_inline bool write_headers(struct __sk_buff *skb, struct packet *packet,
					  struct segment_header *new, __u32 length, __wsum addresses)
{
	const __u32 checksum = TCP_OFFSET + offsetof(struct tcphdr, check);
	__wsum header;

	if (length < sizeof(struct tcphdr) || length > sizeof(*new))
		return false;
	header = bpf_csum_diff((__be32 *)&packet->tcp, length, (__be32 *)new, length, 0);
	return !bpf_skb_store_bytes(skb, 0, &packet->ethernet, HEADERS_LENGTH, 0) &&
	       !bpf_skb_store_bytes(skb, TCP_OFFSET, new, length, 0) &&
	       !bpf_l4_csum_replace(skb, checksum, 0, addresses, BPF_F_PSEUDO_HDR) &&
	       !bpf_l4_csum_replace(skb, checksum, 0, header, 0);
}

/* Counts a packet as its segments on the wire, each with headers of its own. */
static __always_inline void count_traffic(struct __sk_buff *skb, const struct translation *translation,
					  const struct packet *packet)
{
	__u32 index = 2 * translation->server + translation->direction;
	struct traffic *traffic = bpf_map_lookup_elem(&l7lb_servers, &index);
	__u32 segments = 1;

	if (!traffic)
		return;
	if (skb->gso_size)
		segments = (packet->payload + skb->gso_size - 1) / skb->gso_size;
	traffic->packets += segments;
	traffic->bytes += bpf_ntohs(packet->ip.tot_len) +
			  (__u64)(segments - 1) * (packet->ip_length + packet->tcp_length);
}

static __always_inline bool is_past_pivot(const struct translation *translation, const struct packet *packet)
{
	__u32 end = bpf_ntohl(packet->tcp.fixed.seq) + packet->payload;

	return translation->has_pivot && packet->payload && (__s32)(translation->pivot - end) < 0;
}

/* Step 5 of docs/fastpath.md: a packet whose 4-tuple `key` is that of a translation. */
static __always_inline int spliced(struct __sk_buff *skb, const struct arrival *arrival, struct packet *packet,
				   const struct tuple *key, struct translation *translation)
{
	struct next_hop hop = {};
	struct walk walk = {};
	__wsum addresses;

	if (!packet->tcp_length)
		return drop(DROP_MALFORMED);
	if (packet->flags & FLAG_SYN)
		return punt(skb, arrival, REASON_SYN);
	if (packet->ip_length != sizeof(struct iphdr) || !read_options(skb, packet))
		return punt(skb, arrival, REASON_OPTIONS);
	walk.header = packet->tcp;
	if (!translate_tcp(translation, packet, &walk))
		return punt(skb, arrival, REASON_OPTIONS);
	if (!arrival->injected && is_past_pivot(translation, packet))
		return punt(skb, arrival, REASON_PIVOT);
	if (packet->ip.ttl <= 1)
		return drop(DROP_TTL);
	addresses = translate_ip(translation, &packet->ip);
	if (!find_next_hop(skb, arrival->ifindex, packet, &hop) ||
	    !write_headers(skb, packet, &walk.header, packet->tcp_length, addresses))
		return drop(DROP_NO_ROUTE);
	translation->last_seen = bpf_ktime_get_coarse_ns();
	count_traffic(skb, translation, packet);
	watch(key, translation, packet, &walk.header.fixed);
	return send(&hop);
}
