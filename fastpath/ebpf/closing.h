/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* When a splice has ended: both FINs acknowledged, or a RST (docs/fastpath.md, Closing). */
#pragma once

#include "maps.h"
#include "packet.h"

/* Adds a bit to the splice's closing state, and reports the cause that this completes. */
static __always_inline void close_by(const struct tuple *flow, struct translation *to_server, __u32 bit)
{
	/* Atomic, so that of two CPUs exactly one completes it. */
	__u32 before = __sync_fetch_and_or(&to_server->closing, bit);
	__u32 cause = bit & CLOSING_FINS ? CLOSING_FINS : CLOSING_RESET;
	struct event event = { .flow = *flow, .generation = to_server->generation, .cause = cause };

	if ((before & cause) == cause || ((before | bit) & cause) != cause)
		return;
	/* A report that finds no room is made up for by the sweep, which reads the closing state. */
	if (bpf_ringbuf_output(&l7lb_events, &event, sizeof(event), 0))
		count(EVENTS_LOST);
}

/* Notes FIN, ACK and RST of a packet with `key` that is sent on; `translated` is its header as it leaves. */
static __always_inline void watch(const struct tuple *key, struct translation *translation,
				  const struct packet *packet, const struct tcphdr *translated)
{
	__u64 fin = translation->fin;
	__u32 acknowledged = bpf_ntohl(packet->tcp.fixed.ack_seq);
	bool covered = packet->flags & FLAG_ACK && fin && (__s32)(acknowledged - (__u32)fin) >= 0;
	struct tuple other_key = reversed(&translation->becomes);
	struct translation *other, *to_server = translation;
	const struct tuple *flow = key;

	if (!covered && !(packet->flags & (FLAG_FIN | FLAG_RST)))
		return;
	other = bpf_map_lookup_elem(&l7lb_flows, &other_key);
	if (!other)
		return;
	if (translation->direction == TO_CLIENT) {
		to_server = other;
		flow = &other_key;
	}
	if (covered) {
		translation->fin = 0;
		close_by(flow, to_server, 1 << translation->direction);
	}
	if (packet->flags & FLAG_FIN)
		other->fin = FIN_PASSED | (__u32)(bpf_ntohl(translated->seq) + packet->payload + 1);
	if (packet->flags & FLAG_RST)
		close_by(flow, to_server, CLOSING_RESET);
}
