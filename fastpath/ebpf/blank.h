/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The records that the program makes splices of by itself: taken from user space's, and used again and again. */
#pragma once

#include "closing.h"
#include "cookie.h"

/* In ticks: how long the record of a connection that has ended stays, as a rule and if many have ended, */
#define KEPT 1908
#define LEAST_KEPT 239
/* and how long nobody gets it then: a program that has found it before may work on it still. */
#define RESTS 239
/* Records that are looked at to be used again, by each connection that needs one, and by one that finds none. */
#define AS_EVER 2
#define IN_NEED 32

#define NO_RECORD -1

static __always_inline __u32 ticks(void)
{
	return bpf_ktime_get_coarse_ns() >> TICK_SHIFT;
}

/* What the packets of a splice of IPv4 carry, from the client and from the server; false if there is no such thing. */
static __always_inline bool take_tuples(const struct splice *splice, struct ipv4_tuple *forth, struct ipv4_tuple *back)
{
	struct path *path = bpf_map_lookup_elem(&l7lb_paths, &splice->path);

	if (!path)
		return false;
	*forth = (struct ipv4_tuple){
		.source = splice->client.words[3],
		.destination = path->vip.words[3],
		.source_port = splice->client_port,
		.destination_port = path->vip_port,
	};
	*back = (struct ipv4_tuple){
		.source = path->server.words[3],
		.destination = splice->source.words[3],
		.source_port = path->server_port,
		.destination_port = splice->source_port,
	};
	return true;
}

/* Lets others have the tuples of a connection that has ended; of two processors, one does it. */
static __noinline int free_tuples(struct splice *splice)
{
	struct ipv4_tuple forth, back;

	if (__sync_fetch_and_or(&splice->flags, GONE) & GONE || !take_tuples(splice, &forth, &back))
		return 0;
	bpf_map_delete_elem(&l7lb_admitted, &forth);
	bpf_map_delete_elem(&l7lb_admitted, &back);
	return 0;
}

/* Has a connection of the program's own leave its tuples to another one, if there is one and it has ended. */
static __noinline bool gives_way(__u32 slot)
{
	struct splice *splice = splice_of(slot);

	if (!slot || !splice || !is_own(splice) || !has_ended(splice->closing))
		return false;
	free_tuples(splice);
	return true;
}

/* Makes the record blank that has been set aside first, if that is `kept` ticks ago; whether it was. */
__noinline int recycle(__u32 kept)
{
	__u32 now = ticks();
	struct resting ended;
	struct splice *splice;

	if (bpf_map_peek_elem(&l7lb_ended, &ended) || now - ended.since < kept ||
	    bpf_map_pop_elem(&l7lb_ended, &ended))
		return false;
	count_ended(-1);
	splice = splice_of(ended.number);
	/* User space may have taken it over, and one that was set aside twice may be blank, or in use again. */
	if (!splice || !is_own(splice) || __sync_fetch_and_or(&splice->flags, BLANK) & BLANK)
		return true;
	if (!has_ended(splice->closing)) {
		__sync_fetch_and_and(&splice->flags, ~BLANK);
		return true;
	}
	free_tuples(splice);
	ended.since = now;
	bpf_map_push_elem(&l7lb_blanks, &ended, 0);
	return true;
}

/* The number of a record that is free for a connection; NO_RECORD if there is none now. */
__noinline int take_blank(void)
{
	struct resting blank = {};
	bool taken = !bpf_map_peek_elem(&l7lb_blanks, &blank) && ticks() - blank.since >= RESTS &&
		     !bpf_map_pop_elem(&l7lb_blanks, &blank);
	__u32 kept = taken && count_ended(0) <= (__s32)settings.crowd ? KEPT : LEAST_KEPT;

	for (int round = 0; round < IN_NEED; round++) {
		if ((taken && round >= AS_EVER) || !recycle(kept))
			break;
	}
	return taken ? (int)blank.number : NO_RECORD;
}

/* Gives back a record that nothing refers to. */
static __always_inline void give_back(struct splice *splice, __u32 number)
{
	struct resting blank = { .number = number, .since = ticks() };

	if (!(__sync_fetch_and_or(&splice->flags, BLANK) & BLANK))
		bpf_map_push_elem(&l7lb_blanks, &blank, 0);
}

/*
 * Whether a packet belongs to the client's next connection from the same port, as this one of the program's own has
 * ended: by a SYN, or because it acknowledges a cookie behind the end of the client's stream. What came before that end
 * would pass for a new beginning in one of 1024 cases.
 */
__noinline int succeeds(const struct packet *packet, __u32 slot)
{
	struct splice *splice = splice_of(slot);
	__u32 closing;

	if (!packet || !splice || slot >> SLOT_DIRECTION_SHIFT != TO_SERVER)
		return false;
	closing = splice->closing;
	if (!is_own(splice))
		return false;
	if ((packet->flags & (FLAG_SYN | FLAG_ACK | FLAG_RST)) != FLAG_SYN &&
	    ((packet->flags & (FLAG_SYN | FLAG_ACK | FLAG_RST)) != FLAG_ACK ||
	     (closing & CLOSING_FINS) != CLOSING_FINS ||
	     (__s32)(bpf_ntohl(packet->tcp.fixed.seq) - splice->fin[TO_CLIENT]) <= 0 || !acknowledges_cookie(packet)))
		return false;
	return gives_way(slot);
}
