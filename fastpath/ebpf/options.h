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

#define NOP_NOP (OPTION_NOP << 8 | OPTION_NOP)
#define SACK_PERMITTED (OPTION_SACK_PERMITTED << 8 | 2)

#define MAX_SACK_EDGES 8

/* NOP NOP TIMESTAMPS 10: the options of nearly every segment. */
#define TIMESTAMPS_ONLY_LENGTH 12
#define TIMESTAMPS_ONLY bpf_htonl(0x0101080a)

#define ENDED MAX_TCP_OPTIONS /* what a step returns after the last option, */
#define MALFORMED -1	      /* and at one that makes them all malformed */

struct option {
	__u32 offset;
	__u32 length;
	__u8 kind;
};

static __always_inline bool has_its_length(const struct option *option)
{
	switch (option->kind) {
	case OPTION_MSS:
		return option->length == 4;
	case OPTION_WINDOW_SCALE:
		return option->length == 3;
	case OPTION_SACK_PERMITTED:
		return option->length == 2;
	case OPTION_TIMESTAMPS:
		return option->length == 10;
	case OPTION_SACK:
		return option->length >= 10 && option->length % 8 == 2;
	default:
		return option->length >= 2;
	}
}

/*
 * One byte of the options, 0 behind them. That `offset` is below a variable limit is not enough: before Linux 6.8
 * the verifier learns bounds from constants only.
 */
static __always_inline __u8 byte_at(const struct segment_header *header, __u64 offset)
{
	barrier_var(offset); /* or clang checks one copy and adds another to the pointer */
	return offset < MAX_TCP_OPTIONS ? header->options[offset] : 0;
}

/* Reads the option at `offset` of `end` bytes; returns where the next one stands, ENDED or MALFORMED. */
static __always_inline int read_option(const struct segment_header *header, __u32 offset, __u32 end,
				       struct option *option)
{
	if (end > MAX_TCP_OPTIONS || offset >= end)
		return ENDED;
	option->offset = offset;
	option->kind = byte_at(header, offset);
	if (option->kind == OPTION_END)
		return ENDED;
	if (option->kind == OPTION_NOP)
		return offset + 1;
	option->length = offset + 1 < end ? byte_at(header, offset + 1) : 0;
	return has_its_length(option) && offset + option->length <= end ? offset + option->length : MALFORMED;
}

/* The number of four bytes at `offset`, byte by byte, for options may stand at any alignment. */
static __always_inline __u32 number_at(const struct segment_header *header, __u64 offset)
{
	const __u8 *at;

	barrier_var(offset); /* as above */
	if (offset > MAX_TCP_OPTIONS - 4)
		return 0;
	at = header->options + offset;
	return (__u32)at[0] << 24 | (__u32)at[1] << 16 | (__u32)at[2] << 8 | at[3];
}

static __always_inline void add_at(struct segment_header *header, __u64 offset, __u32 delta)
{
	__u32 number = number_at(header, offset) + delta;
	__u8 *at;

	barrier_var(offset);
	if (offset > MAX_TCP_OPTIONS - 4)
		return;
	at = header->options + offset;
	at[0] = number >> 24;
	at[1] = number >> 16;
	at[2] = number >> 8;
	at[3] = number;
}

/* One step of translate_options. Not static, so that the verifier looks at it once and not for each option. */
__noinline int translate_option(struct segment_header *header, __u32 offset, __u32 end,
			       const struct translation *translation)
{
	struct option option = {};
	int next;

	if (!header || !translation)
		return MALFORMED;
	next = read_option(header, offset, end, &option);
	if (next < 0)
		return next;
	if (option.kind == OPTION_TIMESTAMPS) {
		add_at(header, option.offset + 2, translation->tsval);
		add_at(header, option.offset + 6, translation->tsecr);
	} else if (option.kind == OPTION_SACK) {
		for (__u32 edge = 0; edge < MAX_SACK_EDGES && 2 + 4 * edge < option.length; edge++)
			add_at(header, option.offset + 2 + 4 * edge, translation->acknowledgment);
	}
	return next;
}

/* Translates the options of a header, `end` bytes of them; false if they are malformed. */
static __always_inline bool translate_options(struct segment_header *header, __u32 end,
					      const struct translation *translation)
{
	__be32 *words = (__be32 *)header->options;
	int offset = 0;

	if (end == TIMESTAMPS_ONLY_LENGTH && words[0] == TIMESTAMPS_ONLY) {
		words[1] = bpf_htonl(bpf_ntohl(words[1]) + translation->tsval);
		words[2] = bpf_htonl(bpf_ntohl(words[2]) + translation->tsecr);
		return true;
	}
	for (int option = 0; option < MAX_TCP_OPTIONS && 0 <= offset && offset < (int)end; option++)
		offset = translate_option(header, offset, end, translation);
	return offset >= 0;
}
