/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The rewrite (design section 2): decided on copies of the headers, written at once. */
#pragma once

#include "closing.h"
#include "forward.h"
#include "options.h"
#include "write.h"

static __always_inline __be32 added(__be32 number, __u32 delta)
{
	return bpf_htonl(bpf_ntohl(number) + delta);
}

/* Translates `header`, a copy of the packet's TCP header; false if its options are malformed. */
static __always_inline bool translate_tcp(const struct translation *translation, const struct packet *packet,
					  struct segment_header *header)
{
	struct tcphdr *tcp = &header->fixed;
	struct deltas deltas = { .edges = translation->acknowledgment, .tsval = translation->tsval };

	tcp->source = translation->becomes.source_port;
	tcp->dest = translation->becomes.destination_port;
	tcp->seq = added(tcp->seq, translation->sequence);
	if (packet->flags & FLAG_ACK) {
		tcp->ack_seq = added(tcp->ack_seq, translation->acknowledgment);
		deltas.tsecr = translation->tsecr;
	}
	return translate_options(header, packet->tcp_length - sizeof(*tcp), &deltas);
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
static __noinline int spliced(struct __sk_buff *skb, const struct arrival *arrival, struct packet *packet,
			      const struct tuple *key, struct translation *translation)
{
	struct segment_header header;
	struct next_hop hop = {};
	__wsum addresses;

	if (!packet->tcp_length)
		return drop(DROP_MALFORMED);
	if (packet->flags & FLAG_SYN)
		return punt(skb, arrival, REASON_SYN);
	if (packet->ip_length != sizeof(struct iphdr) || !read_options(skb, packet))
		return punt(skb, arrival, REASON_OPTIONS);
	header = packet->tcp;
	if (!translate_tcp(translation, packet, &header))
		return punt(skb, arrival, REASON_OPTIONS);
	if (!arrival->injected && is_past_pivot(translation, packet))
		return punt(skb, arrival, REASON_PIVOT);
	if (packet->ip.ttl <= 1)
		return drop(DROP_TTL);
	addresses = translate_ip(translation, &packet->ip);
	if (!find_next_hop(skb, arrival->ifindex, packet, &header.fixed, &hop) ||
	    !write_headers(skb, packet, &header, packet->tcp_length, addresses))
		return drop(DROP_NO_ROUTE);
	translation->last_seen = bpf_ktime_get_coarse_ns();
	count_traffic(skb, translation, packet);
	watch(key, translation, packet, &header.fixed);
	return send(&hop);
}
