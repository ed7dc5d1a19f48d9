/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* New connections that are let in, as the slow path has decided on the same head before (docs/fastpath.md, Admissions). */
#pragma once

#include "answer.h"
#include "blank.h"
#include "draft.h"
#include "precedent.h"

/* Whether a segment may be the first one of a connection that is let in, as far as its headers tell. */
static __always_inline bool may_begin(struct __sk_buff *skb, const struct packet *packet)
{
	return !packet->is_ipv6 && !has_ip_options(packet) && !skb->gso_size && (packet->flags & ~FLAG_PSH) == FLAG_ACK &&
	       packet->payload >= ADMISSION_LEAST && packet->payload <= ADMISSION_MOST;
}

/* Whether it has the options that go with its cookie, which begins with `lead`: timestamps, or none. */
static __always_inline bool has_agreed_options(const struct packet *packet, __u32 lead)
{
	if (!(lead & LEAD_TIMESTAMPS))
		return packet->tcp_length == sizeof(struct tcphdr);
	return packet->tcp_length == sizeof(struct tcphdr) + TIMESTAMPS_ONLY_LENGTH &&
	       *(const __be32 *)packet->tcp.options == TIMESTAMPS_ONLY;
}

/* The SYN that the slow path would send (slowpath/splicing/connecting.py): the client's own, as far as it is known. */
static __noinline int draft_syn(struct draft *draft, __u32 lead)
{
	struct agreed agreed = agreed_in(lead);
	const struct asked *asked = &draft->asked;
	__u64 window = (__u64)asked->window << (agreed.window_scale == NO_SCALE ? 0 : agreed.window_scale);

	draft->length = sizeof(struct tcphdr) + write_options(draft->header.options, &agreed, agreed.mss,
							      agreed.window_scale, asked->tsval, 0);
	draft->payload = 0;
	draft->header.fixed = (struct tcphdr){
		.source = draft->back.destination_port,
		.dest = draft->back.source_port,
		.seq = bpf_htonl(asked->sequence - 1),
		.doff = draft->length / 4,
		.syn = 1,
		.ece = agreed.ecn,
		.cwr = agreed.ecn,
		.window = bpf_htons(window > 0xffff ? 0xffff : window),
	};
	return 0;
}

/* Takes down what a segment asks for, and whose it is. */
static __noinline int note_asked(struct draft *draft, const struct packet *packet)
{
	const __be32 *options = (const __be32 *)packet->tcp.options;
	const struct tcphdr *tcp = &packet->tcp.fixed;

	draft->forth = (struct ipv4_tuple){ packet->ip.saddr, packet->ip.daddr, tcp->source, tcp->dest };
	draft->asked = (struct asked){
		.sequence = bpf_ntohl(tcp->seq),
		.acknowledgment = bpf_ntohl(tcp->ack_seq),
		.tsval = bpf_ntohl(options[1]),
		.tsecr = bpf_ntohl(options[2]),
		.window = bpf_ntohs(tcp->window),
	};
	return 0;
}

/* Notes whose turn it is to be asked; false if the 4-tuple there is not free. */
static __noinline bool take_turn(struct draft *draft, struct admission *admission)
{
	__u32 turns = admission->turns, slot;
	struct path *path;

	if (!turns)
		return false;
	draft->path = admission->paths[__sync_fetch_and_add(&admission->next, 1) % turns & (MAX_TURNS - 1)];
	path = bpf_map_lookup_elem(&l7lb_paths, &draft->path);
	if (!path)
		return false;
	draft->back = (struct ipv4_tuple){ path->server.words[3], draft->forth.source, path->server_port,
					   draft->forth.source_port };
	draft->taken = (struct tuple){ path->server, mapped(draft->forth.source), path->server_port,
				       draft->forth.source_port };
	slot = find_splice(&draft->taken);
	return (!slot || gives_way(slot)) && !is_expected(&draft->taken);
}

/* Whether the slow path was told of the connection already, by the segment that starts its stream. */
static __always_inline bool is_declined(const struct draft *draft)
{
	__u32 *acknowledgment = bpf_map_lookup_elem(&l7lb_declined, &draft->forth);

	return acknowledgment && *acknowledgment == draft->asked.acknowledgment;
}

/* From now on it is. */
static __always_inline void decline(const struct draft *draft)
{
	bpf_map_update_elem(&l7lb_declined, &draft->forth, &draft->asked.acknowledgment, BPF_ANY);
}

/* Makes a blank record the connection's, which is found by both of its tuples then; false if it cannot be had. */
static __noinline bool enter(const struct draft *draft)
{
	int number = take_blank();
	__u32 slot = SLOT_TAKEN | number;
	struct splice *splice = number == NO_RECORD ? NULL : splice_of(slot);

	if (!splice)
		return false;
	splice->client = splice->source = mapped(draft->forth.source);
	splice->client_port = splice->source_port = draft->forth.source_port;
	splice->path = draft->path;
	splice->last_seen[TO_SERVER] = splice->last_seen[TO_CLIENT] = ticks();
	splice->asked = draft->asked;
	splice->closing = 0;
	/* After that has changed, or one that was set aside twice might be blank once more. */
	__sync_lock_test_and_set(&splice->flags, draft->flags);
	if (!bpf_map_update_elem(&l7lb_admitted, &draft->forth, &slot, BPF_NOEXIST)) {
		slot |= (__u32)TO_CLIENT << SLOT_DIRECTION_SHIFT;
		if (!bpf_map_update_elem(&l7lb_admitted, &draft->back, &slot, BPF_NOEXIST)) {
			/* Another processor may have left the same segment to the slow path: it looks after that, too. */
			if (!is_declined(draft))
				return true;
			bpf_map_delete_elem(&l7lb_admitted, &draft->back);
		}
		bpf_map_delete_elem(&l7lb_admitted, &draft->forth);
	}
	give_back(splice, number);
	return false;
}

/*
 * Drafts the SYN that the segment becomes whose tuple is draft->forth, with all that its connection's record is to hold,
 * if there is an admission for it.
 */
static __noinline bool begin(struct __sk_buff *skb, const struct arrival *arrival, struct packet *packet,
			     struct draft *draft, __u8 window_scale)
{
	struct admission_key key = { .vip = packet->ip.daddr, .port = packet->tcp.fixed.dest };
	__u32 lead = (bpf_ntohl(packet->tcp.fixed.ack_seq) - 1) >> COOKIE_LEAD_SHIFT;
	struct admission *admission;

	if (!has_agreed_options(packet, lead) || is_declined(draft))
		return false;
	key.hash = hash_payload(skb, IP_OFFSET + packet->ip_length + packet->tcp_length, packet->payload);
	admission = bpf_map_lookup_elem(&l7lb_admissions, &key);
	if (!admission || admission->until <= bpf_ktime_get_coarse_ns() || !is_intact(packet, admission->sum) ||
	    !take_turn(draft, admission))
		return false;
	draft->asked.head = key.hash;
	draft->asked.window_scale = window_scale;
	draft->body = ~admission->sum;
	draft->flags = ADMITTED | ASKING | lead << LEAD_SHIFT | admission->label << LABEL_SHIFT;
	if (admission->routed)
		draft->flags |= HAS_PIVOT | FOLLOWS_PRECEDENTS;
	draft_syn(draft, lead);
	/* What follows the SYN will be as long as this packet is now. */
	return route_draft(skb, arrival->ifindex, packet, packet->total);
}

/*
 * A packet for a listener that may begin a connection: if there is an admission for it, it becomes the SYN for a server,
 * else it is the slow path's.
 */
static __noinline int let_in(struct __sk_buff *skb, const struct arrival *arrival, struct packet *packet,
			     const struct offer *offer)
{
	struct draft *draft = draft_of_this_cpu();

	if (!draft || !read_options(skb, packet) || !acknowledges_cookie(packet))
		return punt(skb, arrival, REASON_MISS);
	note_asked(draft, packet);
	if (!begin(skb, arrival, packet, draft, offer->window_scale) || !enter(draft)) {
		decline(draft);
		/* Another processor may have let the same segment in. */
		return bpf_map_lookup_elem(&l7lb_admitted, &draft->forth) ? TC_ACT_SHOT :
									   punt(skb, arrival, REASON_MISS);
	}
	/* One that is lost here is as one that is lost on the way. */
	return write_draft(skb, packet, draft, NULL) ? send(&draft->hop) : drop(DROP_NO_ROUTE);
}
