/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Writing changed headers back, checksums included. */
#pragma once

#include "packet.h"

#define DONT_FRAGMENT 0x4000
#define OUR_TTL 64 /* of packets that are not forwarded ones */

/* The one's complement sum of 16 bits. */
static __always_inline __u16 folded(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* HC' = ~(~HC + ~m + m') (RFC 1624 equation 3), where `difference` is ~m + m'. */
static __always_inline __sum16 updated(__sum16 checksum, __wsum difference)
{
	return ~folded((__u64)difference + (__u16)~checksum);
}

/* Makes an IPv4 header for `length` bytes of TCP. */
static __always_inline void make_ipv4(struct iphdr *ip, __u8 tos, __u32 length, __u8 ttl, __be32 source,
				      __be32 destination)
{
	*ip = (struct iphdr){
		.version = 4,
		.ihl = sizeof(*ip) / 4,
		.tos = tos,
		.tot_len = bpf_htons(sizeof(*ip) + length),
		.frag_off = bpf_htons(DONT_FRAGMENT),
		.ttl = ttl,
		.protocol = IPPROTO_TCP,
		.saddr = source,
		.daddr = destination,
	};
	ip->check = updated(0xffff, bpf_csum_diff(NULL, 0, (__be32 *)ip, sizeof(*ip), 0));
}

/* The same of IPv6; the flow label is 0. */
static __always_inline void make_ipv6(struct ipv6hdr *ip, __u8 traffic_class, __u32 length, __u8 hop_limit,
				      const void *source, const void *destination)
{
	*(__be32 *)ip = bpf_htonl(6 << 28 | traffic_class << 20);
	ip->payload_len = bpf_htons(length);
	ip->nexthdr = IPPROTO_TCP;
	ip->hop_limit = hop_limit;
	__builtin_memcpy(&ip->saddr, source, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, destination, sizeof(ip->daddr));
}

/* Makes room in the frame for a header of the other IP version, which packet->is_ipv6 says; its bytes are undefined. */
static __always_inline bool change_version(struct __sk_buff *skb, struct packet *packet)
{
	__be16 protocol = packet->is_ipv6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);

	packet->ethernet.h_proto = protocol;
	return !bpf_skb_change_proto(skb, protocol, 0);
}

/*
 * Writes packet->ethernet and the IP header. A checksum of the whole packet that the interface has supplied
 * (CHECKSUM_COMPLETE) stays right: IPv4's header sums up to a constant, other changes have to be told.
 */
static __always_inline bool write_ip(struct __sk_buff *skb, const struct packet *packet, bool changed_version)
{
	if (!packet->is_ipv6 && !changed_version)
		return !bpf_skb_store_bytes(skb, 0, &packet->ethernet, IP_OFFSET + sizeof(struct iphdr), 0);
	if (bpf_skb_store_bytes(skb, 0, &packet->ethernet, sizeof(packet->ethernet), 0))
		return false;
	if (packet->is_ipv6)
		return !bpf_skb_store_bytes(skb, IP_OFFSET, &packet->ip6, sizeof(packet->ip6), BPF_F_RECOMPUTE_CSUM);
	return !bpf_skb_store_bytes(skb, IP_OFFSET, &packet->ip, sizeof(packet->ip), BPF_F_RECOMPUTE_CSUM);
}

/*
 * Writes the TCP header `new`, which stands for the first `length` bytes of packet->tcp, behind a fixed IP
 * header, and updates the TCP checksum. `pseudo` is the difference in the pseudo-header, which is all that
 * a checksum still to be completed (CHECKSUM_PARTIAL) has summed up.
 */
static __always_inline bool write_tcp(struct __sk_buff *skb, struct packet *packet, struct segment_header *new,
				      __u32 length, __wsum pseudo)
{
	__u32 offset = IP_OFFSET + fixed_length(packet);
	__u32 checksum = offset + offsetof(struct tcphdr, check);
	__wsum header;

	if (length < sizeof(struct tcphdr) || length > sizeof(*new))
		return false;
	header = bpf_csum_diff((__be32 *)&packet->tcp, length, (__be32 *)new, length, 0);
	return !bpf_skb_store_bytes(skb, offset, new, length, 0) &&
	       !bpf_l4_csum_replace(skb, checksum, 0, pseudo, BPF_F_PSEUDO_HDR) &&
	       !bpf_l4_csum_replace(skb, checksum, 0, header, 0);
}

/* The sum of the addresses. */
static __always_inline __wsum address_sum(const struct packet *packet)
{
	if (packet->is_ipv6)
		return bpf_csum_diff(NULL, 0, (__be32 *)&packet->ip6.saddr, 2 * sizeof(struct in6_addr), 0);
	return bpf_csum_diff(NULL, 0, (__be32 *)&packet->ip.saddr, 2 * sizeof(__be32), 0);
}

/*
 * Whether the TCP checksum of a segment whose payload sums up to `payload` is right, or holds what CHECKSUM_PARTIAL
 * starts from.
 */
static __noinline bool is_intact(const struct packet *packet, __wsum payload)
{
	__be32 rest[] = { bpf_htonl(IPPROTO_TCP), bpf_htonl(packet->tcp_length + packet->payload) };
	__wsum sum = bpf_csum_diff(NULL, 0, rest, sizeof(rest), address_sum(packet));

	/* Past its length the copy of the header is zero. */
	return packet->tcp.fixed.check == folded(sum) ||
	       folded((__u64)payload + bpf_csum_diff(NULL, 0, (__be32 *)&packet->tcp, sizeof(packet->tcp), sum)) == 0xffff;
}
