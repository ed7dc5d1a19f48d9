/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* When a splice has ended: both FINs acknowledged, or a RST (docs/fastpath.md, Closing). */
#pragma once

#include "index.h"

static __always_inline void report(struct event *event, __u32 cause)
{
	event->cause = cause;
	/* One that finds no room is made up for by the sweep, which reads the closing state. */
	if (bpf_ringbuf_output(&l7lb_events, event, sizeof(*event), 0))
		count(EVENTS_LOST);
}

/* Whether a splice with this closing state carries nothing more but what comes late. */
static __always_inline bool has_ended(__u32 closing)
{
	return (closing & CLOSING_FINS) == CLOSING_FINS || closing & CLOSING_RESET;
}

/* Adds to the number of records that are set aside; returns what it was, less those that user space has set aside. */
static __always_inline __s32 count_ended(__s32 more)
{
	__u32 first = 0;
	__s32 *ended = bpf_map_lookup_elem(&l7lb_crowd, &first);

	return ended ? __sync_fetch_and_add(ended, more) : 0;
}

/* Puts a record of the program's own among those that will be blank again. */
static __always_inline void set_aside(__u32 number)
{
	struct resting ended = { .number = number, .since = bpf_ktime_get_coarse_ns() >> TICK_SHIFT };

	/* There is room for every record that can come here. */
	if (!bpf_map_push_elem(&l7lb_ended, &ended, 0))
		count_ended(1);
}

/* Adds bits to the splice's closing state, and reports each cause that they complete. */
static __always_inline void close_by(struct splice *splice, __u32 slot, __u32 bits)
{
	struct event event = { .record = slot & SLOT_RECORD };
	/*
	 * Atomic, so that of two CPUs exactly one completes it; and before it is read whose the splice is: user space
	 * says so, and then looks whether it has ended.
	 */
	__u32 before = __sync_fetch_and_or(&splice->closing, bits);
	__u32 after = before | bits;

	if (is_own(splice)) {
		if (has_ended(after) && !has_ended(before))
			set_aside(event.record);
		return;
	}
	event.generation = splice->generation;
	if ((before & CLOSING_FINS) != CLOSING_FINS && (after & CLOSING_FINS) == CLOSING_FINS)
		report(&event, CLOSING_FINS);
	if (!(before & CLOSING_RESET) && bits & CLOSING_RESET)
		report(&event, bits & CLOSING_RESET);
}

/* Whether a packet is the first one of its direction that acknowledges the other one's FIN. */
static __always_inline bool covers_fin(const struct splice *splice, __u32 direction, const struct packet *packet)
{
	__u32 acknowledged = bpf_ntohl(packet->tcp.fixed.ack_seq), closing = splice->closing;

	return packet->flags & FLAG_ACK && closing & FIN_TO_SERVER << !direction && !(closing & 1 << direction) &&
	       (__s32)(acknowledged - splice->fin[direction]) >= 0;
}

/* Notes FIN, ACK and RST of a packet that is sent on. */
static __always_inline void watch(struct splice *splice, __u32 slot, const struct packet *packet)
{
	__u32 direction = slot >> SLOT_DIRECTION_SHIFT, sequence = bpf_ntohl(packet->tcp.fixed.seq), bits = 0;

	if (covers_fin(splice, direction, packet))
		bits = 1 << direction;
	if (packet->flags & FLAG_FIN) {
		sequence += direction == TO_CLIENT ? splice->delta : 0;
		splice->fin[!direction] = sequence + packet->payload + 1;
		bits |= FIN_TO_SERVER << direction;
	}
	if (packet->flags & FLAG_RST)
		bits |= RESET_TO_SERVER << direction;
	if (bits)
		close_by(splice, slot, bits);
}
