/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* SYN cookies: the layout and the tags of slowpath/tcp/cookie.py. */
#pragma once

#include "maps.h"
#include "packet.h"
#include "siphash.h"

#define LEAD_EPOCH_SHIFT 10
#define LEAD_MSS_SHIFT 7
#define LEAD_SCALE_SHIFT 3
#define LEAD_SACK 4
#define LEAD_TIMESTAMPS 2
#define LEAD_ECN 1

#define COOKIE_LEAD_SHIFT 21
#define COOKIE_LEAD_MASK 0x7ff
#define COOKIE_TUPLE_SHIFT 10
#define COOKIE_TUPLE_MASK 0x7ff
#define COOKIE_ISN_MASK 0x3ff

/* What a SYN asks for and its listener offers; `window_scale` is the client's, or NO_SCALE. */
struct agreed {
	__u32 tsval; /* the client's */
	__u16 mss;   /* the client's; 0: none named */
	__u8 window_scale;
	bool sack;
	bool timestamps;
	bool ecn;
};

/* The index of the largest MSS in (536, 1220, 1300, 1360, 1400, 1440, 1460, 8940) that is not above `mss`. */
static __always_inline __u32 mss_index(__u16 mss)
{
	return (mss >= 1220) + (mss >= 1300) + (mss >= 1360) + (mss >= 1400) + (mss >= 1440) + (mss >= 1460) +
	       (mss >= 8940);
}

/* The entry of that index. */
static __always_inline __u16 mss_at(__u32 index)
{
	return 536 + (index >= 1) * (1220 - 536) + (index >= 2) * (1300 - 1220) + (index >= 3) * (1360 - 1300) +
	       (index >= 4) * (1400 - 1360) + (index >= 5) * (1440 - 1400) + (index >= 6) * (1460 - 1440) +
	       (index >= 7) * (8940 - 1460);
}

/* What a cookie that begins with `lead` says; `tsval` is not among it. */
static __always_inline struct agreed agreed_in(__u32 lead)
{
	return (struct agreed){
		.mss = mss_at(lead >> LEAD_MSS_SHIFT & 7),
		.window_scale = lead >> LEAD_SCALE_SHIFT & 15,
		.sack = lead & LEAD_SACK,
		.timestamps = lead & LEAD_TIMESTAMPS,
		.ecn = lead & LEAD_ECN,
	};
}

/* Eight bytes as SipHash reads them. */
static __always_inline __u64 little_endian(__be32 first, __be32 second)
{
	return (__u64)__builtin_bswap32(bpf_ntohl(second)) << 32 | __builtin_bswap32(bpf_ntohl(first));
}

/* The cookie that begins with `lead`, for `packet`'s addresses and ports and the client's `isn` (big-endian). */
static __noinline __u32 tagged(const struct cookie_key *secret, __u32 lead, const struct packet *packet, __be32 isn)
{
	const struct tcphdr *tcp = &packet->tcp.fixed;
	__be32 ports = bpf_htonl((__u32)bpf_ntohs(tcp->source) << 16 | bpf_ntohs(tcp->dest));
	struct siphash hash = siphash_start(secret);
	__u64 length = packet->is_ipv6 ? 40 : 16; /* bytes of what both tags are of */
	__u32 tuple_tag, isn_tag;

	if (packet->is_ipv6) {
		const __be32 *words = (const __be32 *)&packet->ip6.saddr;

		for (int word = 0; word < 8; word += 2)
			siphash_word(&hash, little_endian(words[word], words[word + 1]));
	} else {
		siphash_word(&hash, little_endian(packet->ip.saddr, packet->ip.daddr));
	}
	siphash_word(&hash, little_endian(ports, bpf_htonl(lead << 16)));
	tuple_tag = siphash_end(hash, length << 56) & COOKIE_TUPLE_MASK;
	isn_tag = siphash_end(hash, (length + 4) << 56 | little_endian(isn, 0)) & COOKIE_ISN_MASK;
	return lead << COOKIE_LEAD_SHIFT | tuple_tag << COOKIE_TUPLE_SHIFT | isn_tag;
}

/* The cookie for a SYN; `epoch` is 0 or 1. */
static __always_inline __u32 make_cookie(const struct cookie_key *secret, __u32 epoch, const struct packet *syn,
					 const struct agreed *agreed)
{
	__u32 lead = epoch << LEAD_EPOCH_SHIFT | mss_index(agreed->mss) << LEAD_MSS_SHIFT |
		     agreed->window_scale << LEAD_SCALE_SHIFT | LEAD_SACK * agreed->sack |
		     LEAD_TIMESTAMPS * agreed->timestamps | LEAD_ECN * agreed->ecn;

	return tagged(secret, lead, syn, syn->tcp.fixed.seq);
}

/* Whether an ACK acknowledges a cookie of ours and starts its stream. */
static __always_inline bool acknowledges_cookie(const struct packet *packet)
{
	__u32 first = 0, *epochs = bpf_map_lookup_elem(&l7lb_epoch, &first);
	__u32 cookie = bpf_ntohl(packet->tcp.fixed.ack_seq) - 1;
	__u32 lead = cookie >> COOKIE_LEAD_SHIFT, epoch = lead >> LEAD_EPOCH_SHIFT;
	struct cookie_key *secret = bpf_map_lookup_elem(&l7lb_cookies, &epoch);

	return epochs && *epochs && secret &&
	       tagged(secret, lead, packet, bpf_htonl(bpf_ntohl(packet->tcp.fixed.seq) - 1)) == cookie;
}
