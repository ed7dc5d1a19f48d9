/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Answering SYNs: the SYN-ACK takes the place of the SYN. */
#pragma once

#include "cookie.h"
#include "forward.h"
#include "options.h"
#include "write.h"

#define NS_PER_MS 1000000
#define LARGEST_SCALE 14 /* RFC 7323 section 2.3 */

/* One step of agree; as with translate_option, the verifier looks at it once. */
__noinline int read_asked(const struct segment_header *header, __u32 offset, __u32 end, struct agreed *asked)
{
	struct option option = {};
	int next;

	if (!header || !asked)
		return MALFORMED;
	next = read_option(header, offset, end, &option);
	if (next < 0)
		return next;
	if (option.kind == OPTION_MSS) {
		asked->mss = number_at(header, option.offset);
	} else if (option.kind == OPTION_WINDOW_SCALE) {
		asked->window_scale = byte_at(header, option.offset + 2);
		if (asked->window_scale > LARGEST_SCALE)
			asked->window_scale = LARGEST_SCALE;
	} else if (option.kind == OPTION_SACK_PERMITTED) {
		asked->sack = true;
	} else if (option.kind == OPTION_TIMESTAMPS) {
		asked->timestamps = true;
		asked->tsval = number_at(header, option.offset + 2);
	}
	return next;
}

/* What the options of a SYN, or a SYN-ACK, ask for; false if they are malformed. */
static __always_inline bool read_syn(const struct packet *syn, struct agreed *asked)
{
	__u32 end = syn->tcp_length - sizeof(struct tcphdr);
	int offset = 0;

	*asked = (struct agreed){ .window_scale = NO_SCALE };
	for (int option = 0; option < MAX_TCP_OPTIONS && 0 <= offset && offset < (int)end; option++)
		offset = read_asked(&syn->tcp, offset, end, asked);
	return offset >= 0;
}

/* What the SYN asks for and the listener offers; false if its options are malformed. */
static __always_inline bool agree(const struct packet *syn, const struct offer *offer, struct agreed *agreed)
{
	const __u8 ecn = FLAG_ECE | FLAG_CWR;
	bool readable = read_syn(syn, agreed);

	if (offer->window_scale == NO_SCALE)
		agreed->window_scale = NO_SCALE;
	agreed->sack &= offer->sack;
	agreed->timestamps &= offer->timestamps;
	agreed->ecn = offer->ecn && (syn->flags & ecn) == ecn;
	return readable;
}

/*
 * Writes options of a SYN or SYN-ACK in the layout of slowpath.wire.options.Options.encode: those that `agreed` has,
 * with our numbers in them. Returns their length.
 */
static __always_inline __u32 write_options(__u8 *options, const struct agreed *agreed, __u16 mss, __u8 window_scale,
					   __u32 tsval, __u32 tsecr)
{
	__u32 lead = agreed->sack ? SACK_PERMITTED : NOP_NOP;
	__be32 *words = (__be32 *)options;
	__u32 count = 0;

	words[count++] = bpf_htonl(OPTION_MSS << 24 | 4 << 16 | mss);
	if (agreed->timestamps) {
		words[count++] = bpf_htonl(lead << 16 | OPTION_TIMESTAMPS << 8 | 10);
		words[count++] = bpf_htonl(tsval);
		words[count++] = bpf_htonl(tsecr);
	} else if (agreed->sack) {
		words[count++] = bpf_htonl(NOP_NOP << 16 | SACK_PERMITTED);
	}
	if (agreed->window_scale != NO_SCALE)
		words[count++] = bpf_htonl(OPTION_NOP << 24 | OPTION_WINDOW_SCALE << 16 | 3 << 8 | window_scale);
	return count * sizeof(*words);
}

/* The TCP header of the SYN-ACK; returns its length. */
static __always_inline __u32 write_syn_ack(struct segment_header *reply, const struct packet *syn,
					   const struct offer *offer, const struct agreed *agreed, __u32 cookie)
{
	const struct tcphdr *asked = &syn->tcp.fixed;
	__u32 length = sizeof(struct tcphdr) + write_options(reply->options, agreed, offer->mss, offer->window_scale,
							      bpf_ktime_get_ns() / NS_PER_MS, agreed->tsval);

	reply->fixed = (struct tcphdr){
		.source = asked->dest,
		.dest = asked->source,
		.seq = bpf_htonl(cookie),
		.ack_seq = bpf_htonl(bpf_ntohl(asked->seq) + 1),
		.doff = length / 4,
		.syn = 1,
		.ack = 1,
		.ece = agreed->ecn,
		.window = bpf_htons(offer->window),
		.check = asked->check, /* still the SYN's: write_tcp brings it to the new header */
	};
	return length;
}

/* Makes the IP header of the SYN-ACK in the place of the SYN's. */
static __always_inline void answer_ip(struct packet *packet, __u32 tcp_length)
{
	struct in6_addr client;

	if (!packet->is_ipv6) {
		make_ipv4(&packet->ip, 0, tcp_length, OUR_TTL, packet->ip.daddr, packet->ip.saddr);
		return;
	}
	client = packet->ip6.saddr;
	make_ipv6(&packet->ip6, 0, tcp_length, OUR_TTL, &packet->ip6.daddr, &client);
}

/*
 * Answers a SYN for a listener by a SYN-ACK with a cookie; what is out of the ordinary, and everything
 * as long as there are no secrets or is no offer, is punted. The checksum is brought from one to the
 * other rather than computed: it may be one that an offload completes.
 */
static __noinline int answer(struct __sk_buff *skb, const struct arrival *arrival, struct packet *packet,
			     const struct offer *offer)
{
	__u32 first = 0, *epochs = bpf_map_lookup_elem(&l7lb_epoch, &first);
	struct segment_header reply = {};
	struct cookie_key *secret;
	struct next_hop hop = {};
	struct agreed agreed;
	__u32 epoch, length, longest, lengths[2];

	if (!epochs || !*epochs || packet->flags & (FLAG_FIN | FLAG_RST) || packet->payload ||
	    has_ip_options(packet) || !read_options(skb, packet) || !is_intact(packet, 0) ||
	    !offer->mss || !agree(packet, offer, &agreed))
		return punt(skb, arrival, REASON_SYN);
	epoch = *epochs - 1;
	secret = bpf_map_lookup_elem(&l7lb_cookies, &epoch);
	if (!secret)
		return punt(skb, arrival, REASON_SYN);
	length = write_syn_ack(&reply, packet, offer, &agreed, make_cookie(secret, epoch, packet, &agreed));
	answer_ip(packet, length);
	if (!find_next_hop(skb, arrival->ifindex, packet, &reply.fixed, &hop))
		return drop(DROP_NO_ROUTE);
	/* Both headers are zero up to the longer one's length; only the length differs in the pseudo-header. */
	longest = length > packet->tcp_length ? length : packet->tcp_length;
	lengths[0] = bpf_htonl(packet->tcp_length);
	lengths[1] = bpf_htonl(length);
	if (bpf_skb_change_tail(skb, IP_OFFSET + packet->ip_length + longest, 0) || !write_ip(skb, packet, false) ||
	    !write_tcp(skb, packet, &reply, longest,
		       bpf_csum_diff(&lengths[0], sizeof(__be32), &lengths[1], sizeof(__be32), 0)) ||
	    bpf_skb_change_tail(skb, IP_OFFSET + packet->ip_length + length, 0))
		return drop(DROP_NO_ROUTE);
	count(SYNS_ANSWERED);
	return send(&hop);
}
