/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Access lists: which clients a listener serves. */
#pragma once

#include <stdbool.h>

#include "maps.h"

#define MAX_ACCESS_RULES 262144

/* `length` counts the bits that follow it: those of `list`, and of the prefix. */
struct access_key {
	__u32 length;
	__u32 list;
	struct address client;
};

/* Whether a prefix is served; the rules of a list hold every address. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_ACCESS_RULES);
	__type(key, struct access_key);
	__type(value, __u8);
} l7lb_access SEC(".maps");

static __noinline bool is_served(const struct offer *offer, const struct address *client)
{
	struct access_key key = {
		.length = 8 * (sizeof(key) - sizeof(key.length)),
		.list = offer->access,
		.client = *client,
	};
	__u8 *served;

	if (!offer->access)
		return true;
	served = bpf_map_lookup_elem(&l7lb_access, &key);
	return served && *served;
}
