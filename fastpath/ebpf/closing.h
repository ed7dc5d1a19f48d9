/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* When a splice has ended: both FINs acknowledged, or a RST (docs/fastpath.md, Closing). */
#pragma once

#include "maps.h"
#include "packet.h"

static __always_inline void report(struct event *event, __u32 cause)
{
	event->cause = cause;
	/* One that finds no room is made up for by the sweep, which reads the closing state. */
	if (bpf_ringbuf_output(&l7lb_events, event, sizeof(*event), 0))
		count(EVENTS_LOST);
}

/* Adds bits to the splice's closing state, and reports each cause that they complete by `event`. */
static __always_inline void close_by(struct event *event, struct translation *to_server, __u32 bits)
{
	/* Atomic, so that of two CPUs exactly one completes it. */
	__u32 before = __sync_fetch_and_or(&to_server->closing, bits);
	__u32 after = before | bits;

	event->generation = to_server->generation;
	if ((before & CLOSING_FINS) != CLOSING_FINS && (after & CLOSING_FINS) == CLOSING_FINS)
		report(event, CLOSING_FINS);
	if (!(before & CLOSING_RESET) && bits & CLOSING_RESET)
		report(event, bits & CLOSING_RESET);
}

/* Notes what `watch` has found; `covered` says that the packet acknowledges the other direction's FIN. */
static __noinline void note_end(const struct tuple *key, struct translation *translation, const struct packet *packet,
				const struct tcphdr *translated, bool covered)
{
	struct event event = { .flow = reversed(&translation->becomes) };
	struct translation *other = bpf_map_lookup_elem(&l7lb_flows, &event.flow);
	struct translation *to_server = other;
	__u32 bits = 0;

	if (!other)
		return;
	if (translation->direction == TO_SERVER) {
		to_server = translation;
		event.flow = *key;
	}
	if (covered) {
		translation->fin = 0;
		bits = 1 << translation->direction;
	}
	if (packet->flags & FLAG_FIN)
		other->fin = FIN_PASSED | (__u32)(bpf_ntohl(translated->seq) + packet->payload + 1);
	if (packet->flags & FLAG_RST)
		bits |= RESET_TO_SERVER << translation->direction;
	if (bits)
		close_by(&event, to_server, bits);
}

/* Notes FIN, ACK and RST of a packet with `key` that is sent on; `translated` is its header as it leaves. */
static __always_inline void watch(const struct tuple *key, struct translation *translation,
				  const struct packet *packet, const struct tcphdr *translated)
{
	__u64 fin = translation->fin;
	__u32 acknowledged = bpf_ntohl(packet->tcp.fixed.ack_seq);
	bool covered = packet->flags & FLAG_ACK && fin && (__s32)(acknowledged - (__u32)fin) >= 0;

	if (covered || packet->flags & (FLAG_FIN | FLAG_RST))
		note_end(key, translation, packet, translated, covered);
}
