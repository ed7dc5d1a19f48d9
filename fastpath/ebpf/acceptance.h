/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* While a server is asked: what becomes of the packets of a connection that is let in (docs/fastpath.md, Admissions). */
#pragma once

#include "admission.h"
#include "translate.h"

/* What becomes of a packet then. */
enum step {
	STOP,	 /* nothing */
	TELL,	 /* it is the slow path's */
	SEND,	 /* what is drafted takes its place, */
	RENEW,	 /* and is followed by the SYN again, */
	COMPLETE /* or the connection is complete with that */
};

static __always_inline __u32 lead_of(const struct splice *splice)
{
	return splice->flags >> LEAD_SHIFT & COOKIE_LEAD_MASK;
}

static __always_inline bool is_asking(__u32 slot)
{
	const struct splice *splice = splice_of(slot);

	return splice && (splice->flags & (ADMITTED | ASKING)) == (ADMITTED | ASKING);
}

/* Whether it is this packet that decides what becomes of the attempt: of those on two processors, one does. */
static __always_inline bool decides(struct splice *splice)
{
	return (__sync_fetch_and_or(&splice->flags, DECIDED) & (ASKING | DECIDED)) == ASKING;
}

/* What the connection was let in by; NULL if it has gone since. */
static __always_inline struct admission *admission_of(const struct draft *draft)
{
	struct admission_key key = {
		.hash = draft->asked.head,
		.vip = draft->forth.destination,
		.port = draft->forth.destination_port,
	};

	return bpf_map_lookup_elem(&l7lb_admissions, &key);
}

/* Ends the attempt and the admission, once that is decided: the client's next segment is the slow path's. */
static __noinline int give_up(struct splice *splice, __u32 slot, struct draft *draft)
{
	struct admission_key key = {
		.hash = draft->asked.head,
		.vip = draft->forth.destination,
		.port = draft->forth.destination_port,
	};

	bpf_map_delete_elem(&l7lb_admissions, &key);
	decline(draft);
	free_tuples(splice);
	close_by(splice, slot, RESET_TO_SERVER << TO_CLIENT);
	return 0;
}

/* Drafts a RST in answer to a segment without payload; its ACK number is 0 if it has none. */
static __always_inline enum step reset(const struct packet *packet, struct draft *draft, __u32 acknowledgment)
{
	draft->header.fixed = (struct tcphdr){
		.source = draft->back.destination_port,
		.dest = draft->back.source_port,
		.seq = packet->tcp.fixed.ack_seq,
		.ack_seq = bpf_htonl(acknowledgment),
		.doff = sizeof(struct tcphdr) / 4,
		.rst = 1,
		.ack = !!acknowledgment,
	};
	draft->length = sizeof(struct tcphdr);
	draft->payload = 0;
	draft->body = 0;
	return SEND;
}

/* Whether a server can keep what its client was promised: nothing on the way could translate the difference. */
static __always_inline bool fits(const struct agreed *given, const struct agreed *agreed, __u8 offered)
{
	if (agreed->timestamps && !given->timestamps)
		return false;
	/* The client shifts by what was offered: a larger shift only understates the server's window. */
	return agreed->window_scale == NO_SCALE ||
	       (given->window_scale != NO_SCALE && given->window_scale >= offered);
}

/* The ACK of the server's SYN-ACK, with the client's head behind it. */
static __noinline int draft_request(struct draft *draft, const struct admission *admission, __u32 isn, __u32 lead,
				    __u32 tsval)
{
	const struct asked *asked = &draft->asked;
	__be32 *options = (__be32 *)draft->header.options;

	draft->length = sizeof(struct tcphdr);
	if (lead & LEAD_TIMESTAMPS) {
		options[0] = TIMESTAMPS_ONLY;
		options[1] = bpf_htonl(asked->tsval);
		options[2] = bpf_htonl(tsval);
		draft->length += TIMESTAMPS_ONLY_LENGTH;
	}
	draft->payload = admission->length;
	draft->body = admission->sum;
	draft->header.fixed = (struct tcphdr){
		.source = draft->back.destination_port,
		.dest = draft->back.source_port,
		.seq = bpf_htonl(asked->sequence),
		.ack_seq = bpf_htonl(isn + 1),
		.doff = draft->length / 4,
		.psh = 1,
		.ack = 1,
		.window = bpf_htons(asked->window),
	};
	return 0;
}

/* Makes the record a splice, as the slow path would have installed it, before anybody takes it for one. */
static __noinline int join(struct splice *splice, const struct draft *draft)
{
	const struct asked *asked = &draft->asked;
	const __be32 *options = (const __be32 *)draft->header.options;

	splice->delta = asked->acknowledgment - bpf_ntohl(draft->header.fixed.ack_seq);
	splice->timestamp_delta = lead_of(splice) & LEAD_TIMESTAMPS ? asked->tsecr - bpf_ntohl(options[2]) : 0;
	splice->pivot = asked->sequence + draft->payload;
	splice->request_start = asked->sequence;
	splice->response_start = asked->acknowledgment;
	splice->packets[TO_SERVER] = splice->packets[TO_CLIENT] = 0;
	splice->payload[TO_SERVER] = splice->payload[TO_CLIENT] = 0;
	splice->last_seen[TO_SERVER] = splice->last_seen[TO_CLIENT] = ticks();
	if (splice->flags & FOLLOWS_PRECEDENTS)
		splice->closing = FOLLOWED;
	__sync_fetch_and_and(&splice->flags, ~ASKING);
	return 0;
}

/* Counts the connection, and the request as a packet that the splice carries. */
static __noinline int count_request(struct __sk_buff *skb, struct splice *splice, __u32 slot, struct packet *packet,
				    const struct draft *draft)
{
	__u32 label = splice->flags >> LABEL_SHIFT;
	__u64 *accepted = bpf_map_lookup_elem(&l7lb_accepted, &label);

	if (accepted)
		++*accepted;
	packet->tcp_length = draft->length;
	packet->payload = draft->payload;
	packet->total = packet->ip_length + draft->length + draft->payload;
	count_traffic(skb, splice, TO_SERVER, packet);
	return 0;
}

/* The server has accepted: its SYN-ACK becomes the ACK with the request, or a RST if it does not fit. */
static __noinline enum step accepted(const struct packet *packet, __u32 slot, struct draft *draft,
				     const struct admission *admission)
{
	__u32 isn = bpf_ntohl(packet->tcp.fixed.seq), lead;
	struct splice *splice = splice_of(slot);
	struct agreed given, agreed;

	if (!splice || !read_syn(packet, &given) || !decides(splice))
		return STOP;
	lead = lead_of(splice);
	agreed = agreed_in(lead);
	if (!admission || !fits(&given, &agreed, draft->asked.window_scale)) {
		give_up(splice, slot, draft);
		return reset(packet, draft, isn + 1);
	}
	draft_request(draft, admission, isn, lead, given.tsval);
	return COMPLETE;
}

/* A packet of the server's. */
static __noinline enum step answered(const struct packet *packet, __u32 slot, struct draft *draft,
				     const struct admission *admission)
{
	bool acknowledges = packet->flags & FLAG_ACK &&
			    bpf_ntohl(packet->tcp.fixed.ack_seq) == draft->asked.sequence;
	struct splice *splice = splice_of(slot);
	__u32 before;

	if (!splice || packet->payload || !is_intact(packet, 0))
		return STOP;
	if (packet->flags & FLAG_RST) {
		if (acknowledges && decides(splice))
			give_up(splice, slot, draft);
		return STOP;
	}
	if (packet->flags & FLAG_ACK && !acknowledges) {
		reset(packet, draft, 0);
		/* Once: whoever does not hear the RST would answer for ever. */
		before = __sync_fetch_and_or(&splice->flags, REPEATED);
		return (before & (ASKING | DECIDED | REPEATED)) == ASKING ? RENEW : SEND;
	}
	return acknowledges && packet->flags & FLAG_SYN ? accepted(packet, slot, draft, admission) : STOP;
}

/* Whether a packet is the segment again that has let its connection in. */
static __always_inline bool repeats(struct __sk_buff *skb, const struct packet *packet, const struct draft *draft,
				    const struct admission *admission)
{
	return may_begin(skb, packet) && bpf_ntohl(packet->tcp.fixed.seq) == draft->asked.sequence &&
	       bpf_ntohl(packet->tcp.fixed.ack_seq) == draft->asked.acknowledgment &&
	       packet->payload == admission->length && is_intact(packet, admission->sum) &&
	       hash_payload(skb, IP_OFFSET + packet->ip_length + packet->tcp_length, packet->payload) ==
		       draft->asked.head;
}

/* A packet of the client's. */
static __noinline enum step repeated(struct __sk_buff *skb, const struct packet *packet, __u32 slot,
				     struct draft *draft, const struct admission *admission)
{
	struct splice *splice = splice_of(slot);
	__u32 before;

	if (!splice || (admission && !repeats(skb, packet, draft, admission)))
		return STOP;
	before = __sync_fetch_and_or(&splice->flags, REPEATED);
	if (!admission || before & REPEATED) {
		if (!decides(splice))
			return STOP;
		give_up(splice, slot, draft);
		return TELL;
	}
	/* What was copied is what is asked for, if that is so still. */
	if ((before & (ASKING | DECIDED)) != ASKING)
		return STOP;
	draft_syn(draft, before >> LEAD_SHIFT & COOKIE_LEAD_MASK);
	draft->body = ~admission->sum;
	return SEND;
}

/* Sends a copy of the RST that has been written, and drafts and writes the SYN in its place. */
static __noinline bool renew(struct __sk_buff *skb, const struct arrival *arrival, struct packet *packet,
			     struct draft *draft, __u32 lead)
{
	/* A neighbour that is not known takes no copy; the client's own repetition is as good then. */
	if (draft->hop.unresolved.nh_family || bpf_clone_redirect(skb, draft->hop.ifindex, 0))
		return true;
	packet->total = packet->ip_length + draft->length;
	if (!read_tcp(skb, IP_OFFSET, packet))
		return false;
	draft_syn(draft, lead);
	return route_draft(skb, arrival->ifindex, packet, 0) && write_draft(skb, packet, draft, NULL);
}

/* A packet of a connection whose server is being asked. */
static __noinline int asking(struct __sk_buff *skb, const struct arrival *arrival, struct packet *packet, __u32 slot)
{
	struct draft *draft = draft_of_this_cpu();
	struct splice *splice = splice_of(slot);
	struct admission *admission;
	enum step step;
	bool written;

	if (!splice || !draft)
		return TC_ACT_SHOT;
	if (!packet->tcp_length)
		return drop(DROP_MALFORMED);
	if (arrival->injected)
		return drop(DROP_STALE);
	draft->asked = splice->asked;
	if (has_ip_options(packet) || !read_options(skb, packet) || !take_tuples(splice, &draft->forth, &draft->back))
		return TC_ACT_SHOT;
	admission = admission_of(draft);
	if (slot >> SLOT_DIRECTION_SHIFT == TO_SERVER)
		step = repeated(skb, packet, slot, draft, admission);
	else
		step = answered(packet, slot, draft, admission);
	if (step == STOP)
		return TC_ACT_SHOT;
	if (step == TELL)
		return punt(skb, arrival, REASON_MISS);
	written = route_draft(skb, arrival->ifindex, packet, 0) && write_draft(skb, packet, draft, admission);
	if (step == RENEW && written)
		written = renew(skb, arrival, packet, draft, lead_of(splice));
	if (step == COMPLETE) {
		/* The element may have been given to another head while it was read. */
		if (!written || admission_of(draft) != admission) {
			give_up(splice, slot, draft);
			return drop(DROP_NO_ROUTE);
		}
		join(splice, draft);
		count_request(skb, splice, slot, packet, draft);
	}
	return written ? send(&draft->hop) : drop(DROP_NO_ROUTE);
}
