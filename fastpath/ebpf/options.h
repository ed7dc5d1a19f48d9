/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* TCP options of any order and alignment: checked like slowpath.wire.options.locate, and translated. */
#pragma once

#include "packet.h"

#define OPTION_END 0
#define OPTION_NOP 1
#define OPTION_MSS 2
#define OPTION_WINDOW_SCALE 3
#define OPTION_SACK_PERMITTED 4
#define OPTION_SACK 5
#define OPTION_TIMESTAMPS 8

#define MAX_SACK_EDGES 8

/* NOP NOP TIMESTAMPS 10: the options of nearly every segment. */
#define TIMESTAMPS_ONLY_LENGTH 12
#define TIMESTAMPS_ONLY bpf_htonl(0x0101080a)

/* What is added to the numbers in the options. */
struct deltas {
	__u32 edges;
	__u32 tsval;
	__u32 tsecr;
};

struct walk {
	struct segment_header header;
	__u32 offset;
	__u32 end;
	struct deltas deltas;
	bool malformed;
};

static __always_inline void add_at(struct walk *walk, __u32 offset, __u32 delta)
{
	__u8 *at;
	__u32 number;

	if (offset > MAX_TCP_OPTIONS - 4)
		return;
	at = walk->header.options + offset;
	/* Byte by byte, for options may stand at any alignment. */
	number = (__u32)at[0] << 24 | (__u32)at[1] << 16 | (__u32)at[2] << 8 | at[3];
	number += delta;
	at[0] = number >> 24;
	at[1] = number >> 16;
	at[2] = number >> 8;
	at[3] = number;
}

static __always_inline bool has_its_length(__u8 kind, __u32 length)
{
	switch (kind) {
	case OPTION_MSS:
		return length == 4;
	case OPTION_WINDOW_SCALE:
		return length == 3;
	case OPTION_SACK_PERMITTED:
		return length == 2;
	case OPTION_TIMESTAMPS:
		return length == 10;
	case OPTION_SACK:
		return length >= 10 && length % 8 == 2;
	default:
		return true;
	}
}

/* A bpf_loop callback: one option; 1 ends the walk. */
static long translate_option(__u32 index, struct walk *walk)
{
	__u32 offset = walk->offset;
	__u32 length = 0;
	__u8 kind;

	if (offset >= walk->end || offset >= MAX_TCP_OPTIONS)
		return 1;
	kind = walk->header.options[offset];
	if (kind == OPTION_END)
		return 1;
	if (kind == OPTION_NOP) {
		walk->offset = offset + 1;
		return 0;
	}
	if (offset + 1 < walk->end && offset + 1 < MAX_TCP_OPTIONS)
		length = walk->header.options[offset + 1];
	if (length < 2 || offset + length > walk->end || !has_its_length(kind, length)) {
		walk->malformed = true;
		return 1;
	}
	if (kind == OPTION_TIMESTAMPS) {
		add_at(walk, offset + 2, walk->deltas.tsval);
		add_at(walk, offset + 6, walk->deltas.tsecr);
	} else if (kind == OPTION_SACK) {
		for (__u32 edge = 0; edge < MAX_SACK_EDGES && 2 + 4 * edge < length; edge++)
			add_at(walk, offset + 2 + 4 * edge, walk->deltas.edges);
	}
	walk->offset = offset + length;
	return 0;
}

/* Translates the options of walk->header up to walk->end; false if they are malformed. */
static __always_inline bool translate_options(struct walk *walk)
{
	__be32 *words = (__be32 *)walk->header.options;

	if (walk->end == 0)
		return true;
	if (walk->end == TIMESTAMPS_ONLY_LENGTH && words[0] == TIMESTAMPS_ONLY) {
		words[1] = bpf_htonl(bpf_ntohl(words[1]) + walk->deltas.tsval);
		words[2] = bpf_htonl(bpf_ntohl(words[2]) + walk->deltas.tsecr);
		return true;
	}
	bpf_loop(MAX_TCP_OPTIONS, translate_option, walk, 0);
	return !walk->malformed;
}
