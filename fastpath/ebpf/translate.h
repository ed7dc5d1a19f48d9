/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The rewrite (design section 2): decided on copies of the headers, written at once. */
#pragma once

#include "closing.h"
#include "forward.h"
#include "options.h"
#include "write.h"

#define LONGEST 0xffff /* IPv4's total length */

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

static __always_inline __wsum translate_ipv4(const struct tuple *becomes, struct iphdr *ip)
{
	struct iphdr old = *ip;

	ip->saddr = becomes->source.words[3];
	ip->daddr = becomes->destination.words[3];
	ip->ttl--;
	/* Both hold the old checksum, which cancels out. */
	ip->check = updated(ip->check, bpf_csum_diff((__be32 *)&old, sizeof(old), (__be32 *)ip, sizeof(*ip), 0));
	return bpf_csum_diff(&old.saddr, 2 * sizeof(__be32), &ip->saddr, 2 * sizeof(__be32), 0);
}

static __always_inline __wsum translate_ipv6(const struct tuple *becomes, struct ipv6hdr *ip)
{
	const __u32 length = 2 * sizeof(struct in6_addr);
	struct ipv6hdr old = *ip;

	__builtin_memcpy(&ip->saddr, &becomes->source, sizeof(becomes->source));
	__builtin_memcpy(&ip->daddr, &becomes->destination, sizeof(becomes->destination));
	ip->hop_limit--;
	return bpf_csum_diff((__be32 *)&old.saddr, length, (__be32 *)&ip->saddr, length, 0);
}

/* Makes the header of the other version (RFC 7915 sections 4.1 and 5.1). */
static __always_inline __wsum convert(const struct tuple *becomes, struct packet *packet)
{
	__u32 length = packet->total - packet->ip_length;
	__u64 old = address_sum(packet);

	if (packet->is_ipv6) {
		__u8 traffic_class = bpf_ntohl(*(__be32 *)&packet->ip6) >> 20;

		make_ipv4(&packet->ip, traffic_class, length, packet->ip6.hop_limit - 1, becomes->source.words[3],
			  becomes->destination.words[3]);
	} else {
		make_ipv6(&packet->ip6, packet->ip.tos, length, packet->ip.ttl - 1, &becomes->source,
			  &becomes->destination);
	}
	packet->is_ipv6 = !packet->is_ipv6;
	return folded((__u64)(__u16)~folded(old) + address_sum(packet));
}

/* Whether a packet leaves as one of the other IP version. */
static __always_inline bool changes_version(const struct translation *translation, const struct packet *packet)
{
	return is_mapped(&translation->becomes.destination) == packet->is_ipv6;
}

/* Whether it would be too long for the other version's total length. */
static __always_inline bool outgrows(const struct translation *translation, const struct packet *packet)
{
	return changes_version(translation, packet) && packet->is_ipv6 &&
	       packet->total - packet->ip_length + sizeof(struct iphdr) > LONGEST;
}

static __always_inline __u8 time_to_live(const struct packet *packet)
{
	return packet->is_ipv6 ? packet->ip6.hop_limit : packet->ip.ttl;
}

/* Sets the addresses and counts the TTL down; returns the difference of the addresses, for the TCP checksum. */
static __noinline __wsum translate_ip(const struct translation *translation, struct packet *packet)
{
	if (changes_version(translation, packet))
		return convert(&translation->becomes, packet);
	if (packet->is_ipv6)
		return translate_ipv6(&translation->becomes, &packet->ip6);
	return translate_ipv4(&translation->becomes, &packet->ip);
}

/* Counts a packet as its segments on the wire, each with headers of its own. */
static __always_inline void count_traffic(struct __sk_buff *skb, struct translation *translation,
					  const struct packet *packet)
{
	__u32 index = 2 * translation->server + translation->direction;
	struct traffic *traffic = bpf_map_lookup_elem(&l7lb_servers, &index);
	__u32 segments = 1;

	if (skb->gso_size)
		segments = (packet->payload + skb->gso_size - 1) / skb->gso_size;
	/* Atomic: what is injected may pass on another CPU at the same time. */
	__sync_fetch_and_add(&translation->packets, segments);
	__sync_fetch_and_add(&translation->payload, packet->payload);
	if (!traffic)
		return;
	traffic->packets += segments;
	traffic->bytes += packet->total + (__u64)(segments - 1) * (packet->ip_length + packet->tcp_length);
}

static __always_inline bool is_past_pivot(const struct translation *translation, const struct packet *packet)
{
	__u32 end = bpf_ntohl(packet->tcp.fixed.seq) + packet->payload;

	return translation->direction == TO_SERVER && translation->has_pivot && packet->payload &&
	       (__s32)(translation->pivot - end) < 0;
}

/* Whether a server that is between two requests, or at the end of a response, closes. */
static __always_inline bool ends_before_pivot(const struct translation *translation, const struct packet *packet)
{
	return translation->direction == TO_CLIENT && translation->has_pivot && !packet->payload &&
	       (packet->flags & (FLAG_FIN | FLAG_RST)) == FLAG_FIN;
}

/* Step 5 of docs/fastpath.md: a packet whose 4-tuple `key` is that of a translation. */
static __noinline int spliced(struct __sk_buff *skb, const struct arrival *arrival, struct packet *packet,
			      const struct tuple *key, struct translation *translation)
{
	struct segment_header header;
	struct next_hop hop = {};
	__wsum addresses;
	bool changes;

	if (!packet->tcp_length)
		return drop(DROP_MALFORMED);
	if (packet->flags & FLAG_SYN)
		return punt(skb, arrival, REASON_SYN);
	if (has_ip_options(packet) || outgrows(translation, packet) || !read_options(skb, packet))
		return punt(skb, arrival, REASON_OPTIONS);
	header = packet->tcp;
	if (!translate_tcp(translation, packet, &header))
		return punt(skb, arrival, REASON_OPTIONS);
	if (!arrival->injected && is_past_pivot(translation, packet))
		return punt(skb, arrival, REASON_PIVOT);
	if (!arrival->injected && ends_before_pivot(translation, packet))
		return punt(skb, arrival, REASON_FIN);
	if (time_to_live(packet) <= 1)
		return drop(DROP_TTL);
	changes = changes_version(translation, packet);
	addresses = translate_ip(translation, packet);
	hop.length = length_on_wire(skb, packet, fixed_length(packet));
	if (!find_next_hop(skb, arrival->ifindex, packet, &header.fixed, &hop))
		return hop.mtu ? punt_too_long(skb, arrival, hop.mtu) : drop(DROP_NO_ROUTE);
	if ((changes && !change_version(skb, packet)) || !write_ip(skb, packet, changes) ||
	    !write_tcp(skb, packet, &header, packet->tcp_length, addresses))
		return drop(DROP_NO_ROUTE);
	translation->last_seen = bpf_ktime_get_coarse_ns();
	count_traffic(skb, translation, packet);
	watch(key, translation, packet, &header.fixed);
	return send(&hop);
}
