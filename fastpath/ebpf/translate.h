/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The rewrite (design section 2): decided on copies of the headers, written at once. */
#pragma once

#include "closing.h"
#include "forward.h"
#include "options.h"
#include "precedent.h"
#include "write.h"

#define LONGEST 0xffff /* IPv4's total length */

/* What a splice does to the packets of a direction: they leave with `becomes`. */
static __always_inline void read_translation(const struct splice *splice, const struct path *path, __u32 direction,
					     struct tuple *becomes, struct translation *translation)
{
	if (direction == TO_SERVER) {
		becomes->source = splice->source;
		becomes->destination = path->server;
		becomes->source_port = splice->source_port;
		becomes->destination_port = path->server_port;
		translation->acknowledgment = -splice->delta;
		translation->tsecr = -splice->timestamp_delta;
	} else {
		becomes->source = path->vip;
		becomes->destination = splice->client;
		becomes->source_port = path->vip_port;
		becomes->destination_port = splice->client_port;
		translation->sequence = splice->delta;
		translation->tsval = splice->timestamp_delta;
	}
}

static __always_inline __be32 added(__be32 number, __u32 delta)
{
	return bpf_htonl(bpf_ntohl(number) + delta);
}

/* Translates `header`, a copy of the packet's TCP header; false if its options are malformed. */
static __always_inline bool translate_tcp(const struct tuple *becomes, struct translation *translation,
					  const struct packet *packet, struct segment_header *header)
{
	struct tcphdr *tcp = &header->fixed;

	tcp->source = becomes->source_port;
	tcp->dest = becomes->destination_port;
	tcp->seq = added(tcp->seq, translation->sequence);
	if (packet->flags & FLAG_ACK) {
		tcp->ack_seq = added(tcp->ack_seq, translation->acknowledgment);
	} else {
		translation->tsecr = 0;
	}
	return translate_options(header, packet->tcp_length - sizeof(*tcp), translation);
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
static __always_inline bool changes_version(const struct tuple *becomes, const struct packet *packet)
{
	return is_mapped(&becomes->destination) == packet->is_ipv6;
}

/* Whether it would be too long for the other version's total length. */
static __always_inline bool outgrows(const struct tuple *becomes, const struct packet *packet)
{
	return changes_version(becomes, packet) && packet->is_ipv6 &&
	       packet->total - packet->ip_length + sizeof(struct iphdr) > LONGEST;
}

static __always_inline __u8 time_to_live(const struct packet *packet)
{
	return packet->is_ipv6 ? packet->ip6.hop_limit : packet->ip.ttl;
}

/* Sets the addresses and counts the TTL down; returns the difference of the addresses, for the TCP checksum. */
static __noinline __wsum translate_ip(const struct tuple *becomes, struct packet *packet)
{
	if (changes_version(becomes, packet))
		return convert(becomes, packet);
	if (packet->is_ipv6)
		return translate_ipv6(becomes, &packet->ip6);
	return translate_ipv4(becomes, &packet->ip);
}

/* Counts a packet as its segments on the wire, each with headers of its own; returns how many there were before. */
static __always_inline __u32 count_traffic(struct __sk_buff *skb, struct splice *splice, __u32 direction,
					   const struct packet *packet)
{
	struct path *path = bpf_map_lookup_elem(&l7lb_paths, &splice->path);
	__u32 index = path ? 2 * path->server_id + direction : 0, segments = 1;
	struct traffic *traffic = bpf_map_lookup_elem(&l7lb_servers, &index);

	if (skb->gso_size)
		segments = (packet->payload + skb->gso_size - 1) / skb->gso_size;
	if (traffic) {
		traffic->packets += segments;
		traffic->bytes += packet->total + (__u64)(segments - 1) * (packet->ip_length + packet->tcp_length);
	}
	/* Atomic: what is injected may pass on another CPU at the same time. */
	__sync_fetch_and_add(&splice->payload[direction], packet->payload);
	return __sync_fetch_and_add(&splice->packets[direction], segments);
}

/* The packets of the splice's server need not be expected any more, as one of them has been carried; `key` is spare. */
static __always_inline void end_expectation(const struct splice *splice, struct tuple *key)
{
	const struct path *path = bpf_map_lookup_elem(&l7lb_paths, &splice->path);

	if (!path)
		return;
	key->source = path->server;
	key->destination = splice->source;
	key->source_port = path->server_port;
	key->destination_port = splice->source_port;
	bpf_map_delete_elem(&l7lb_expected, key);
}

/*
 * Notes that a packet is sent on. A function, and with a spare `key` of its caller's, for the depth of the stack; not a
 * void one, whose R0 the verifier may not let pass.
 */
static __noinline int note(struct __sk_buff *skb, struct splice *splice, __u32 slot, const struct packet *packet,
			   struct tuple *key)
{
	__u32 direction = slot >> SLOT_DIRECTION_SHIFT;

	splice->last_seen[direction] = bpf_ktime_get_coarse_ns() >> TICK_SHIFT;
	watch(splice, slot, packet);
	if (!count_traffic(skb, splice, direction, packet) && direction == TO_CLIENT && !(splice->flags & WITHDRAWN))
		end_expectation(splice, key);
	return 0;
}

static __always_inline bool is_past_pivot(const struct splice *splice, __u32 direction, const struct packet *packet)
{
	__u32 end = bpf_ntohl(packet->tcp.fixed.seq) + packet->payload;

	return direction == TO_SERVER && splice->flags & HAS_PIVOT && packet->payload &&
	       (__s32)(splice->pivot - end) < 0;
}

/* Whether a server that is between two requests, or at the end of a response, closes. */
static __always_inline bool ends_before_pivot(const struct splice *splice, __u32 direction,
					      const struct packet *packet)
{
	return direction == TO_CLIENT && splice->flags & HAS_PIVOT && !packet->payload &&
	       (packet->flags & (FLAG_FIN | FLAG_RST)) == FLAG_FIN;
}

/*
 * Step 5 of docs/fastpath.md: a packet whose 4-tuple is that of a splice's direction, which `slot` names; `becomes` is
 * the caller's, for the depth of the stack.
 */
static __noinline int spliced(struct __sk_buff *skb, const struct arrival *arrival, struct packet *packet, __u32 slot,
			      struct tuple *becomes)
{
	struct splice *splice = splice_of(slot);
	__u32 direction = slot >> SLOT_DIRECTION_SHIFT;
	struct translation translation = {};
	struct segment_header header;
	struct next_hop hop = {};
	struct path *path;
	__wsum addresses;
	bool changes;

	if (!splice)
		return unmatched(arrival);
	path = bpf_map_lookup_elem(&l7lb_paths, &splice->path);
	if (!path)
		return unmatched(arrival);
	if (!packet->tcp_length)
		return drop(DROP_MALFORMED);
	if (packet->flags & FLAG_SYN)
		return punt(skb, arrival, REASON_SYN);
	read_translation(splice, path, direction, becomes, &translation);
	if (has_ip_options(packet) || outgrows(becomes, packet) || !read_options(skb, packet))
		return punt(skb, arrival, REASON_OPTIONS);
	header = packet->tcp;
	if (!translate_tcp(becomes, &translation, packet, &header))
		return punt(skb, arrival, REASON_OPTIONS);
	if (!arrival->injected && is_past_pivot(splice, direction, packet) && !follows_precedent(skb, splice, packet))
		return punt(skb, arrival, REASON_PIVOT);
	if (!arrival->injected && ends_before_pivot(splice, direction, packet))
		return punt(skb, arrival, REASON_FIN);
	if (time_to_live(packet) <= 1)
		return drop(DROP_TTL);
	changes = changes_version(becomes, packet);
	addresses = translate_ip(becomes, packet);
	hop.length = length_on_wire(skb, packet, fixed_length(packet));
	if (!find_next_hop(skb, arrival->ifindex, packet, &header.fixed, &hop))
		return hop.mtu ? punt_too_long(skb, arrival, hop.mtu) : drop(DROP_NO_ROUTE);
	if ((changes && !change_version(skb, packet)) || !write_ip(skb, packet, changes) ||
	    !write_tcp(skb, packet, &header, packet->tcp_length, addresses))
		return drop(DROP_NO_ROUTE);
	note(skb, splice, slot, packet, becomes);
	return send(&hop);
}
