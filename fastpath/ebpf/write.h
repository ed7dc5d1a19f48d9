/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Writing changed headers back, checksums included. */
#pragma once

#include "packet.h"

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

/*
 * Writes packet->ethernet, packet->ip and the TCP header `new`, which stands for the first `length`
 * bytes of packet->tcp, and updates the TCP checksum. `pseudo` is the difference in the pseudo-header,
 * which is all that a checksum still to be completed (CHECKSUM_PARTIAL) has summed up.
 */
static __always_inline bool write_headers(struct __sk_buff *skb, struct packet *packet,
					  struct segment_header *new, __u32 length, __wsum pseudo)
{
	const __u32 checksum = TCP_OFFSET + offsetof(struct tcphdr, check);
	__wsum header;

	if (length < sizeof(struct tcphdr) || length > sizeof(*new))
		return false;
	header = bpf_csum_diff((__be32 *)&packet->tcp, length, (__be32 *)new, length, 0);
	return !bpf_skb_store_bytes(skb, 0, &packet->ethernet, HEADERS_LENGTH, 0) &&
	       !bpf_skb_store_bytes(skb, TCP_OFFSET, new, length, 0) &&
	       !bpf_l4_csum_replace(skb, checksum, 0, pseudo, BPF_F_PSEUDO_HDR) &&
	       !bpf_l4_csum_replace(skb, checksum, 0, header, 0);
}

/* Whether the TCP checksum of a segment without payload is right, or holds what CHECKSUM_PARTIAL starts from. */
static __always_inline bool is_intact(const struct packet *packet)
{
	__be32 pseudo[] = { packet->ip.saddr, packet->ip.daddr, bpf_htonl(IPPROTO_TCP),
			    bpf_htonl(packet->tcp_length) };
	__wsum sum = bpf_csum_diff(NULL, 0, pseudo, sizeof(pseudo), 0);

	/* Past its length the copy of the header is zero. */
	return packet->tcp.fixed.check == folded(sum) ||
	       folded(bpf_csum_diff(NULL, 0, (__be32 *)&packet->tcp, sizeof(packet->tcp), sum)) == 0xffff;
}
