/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finding the splice of a tuple: a hash index of two choices (Azar, Broder, Karlin and Upfal, 1994), which
 * fastpath/ebpf/index.py writes. A slot is 0 or
 *
 *	direction (1 bit), 1, tag (6 bits), record number (24 bits)
 *
 * and stands in either of its tuple's two buckets.
 */
#pragma once

#include "maps.h"
#include "packet.h"

#define SLOT_DIRECTION_SHIFT 31
#define SLOT_TAKEN 0x40000000u
#define SLOT_TAG 0x3f000000u
#define SLOT_TAG_SHIFT 24
#define SLOT_RECORD 0xffffffu

static __always_inline struct splice *splice_of(__u32 slot)
{
	__u32 number = slot & SLOT_RECORD;

	return bpf_map_lookup_elem(&l7lb_splices, &number);
}

/*
 * Multilinear hashing modulo 2^64, of which the upper half is taken: strongly universal with random secrets
 * (Lemire and Kaser, 2014), so two tuples meet by chance alone, whoever chose them.
 */
static __always_inline __u32 hashed(const struct tuple *key, __u32 choice)
{
	const __be32 *words = (const __be32 *)key;
	__u64 sum = settings.secrets[choice][TUPLE_WORDS];

#pragma unroll
	for (int word = 0; word < TUPLE_WORDS; word++)
		sum += (__u64)bpf_ntohl(words[word]) * settings.secrets[choice][word];
	return sum >> 32;
}

static __always_inline bool equals(const struct address *one, const struct address *other)
{
	return !((one->words[0] ^ other->words[0]) | (one->words[1] ^ other->words[1]) |
		 (one->words[2] ^ other->words[2]) | (one->words[3] ^ other->words[3]));
}

/* Whether `key` is what the packets of a splice carry in the slot's direction. */
static __always_inline bool matches(const struct tuple *key, __u32 slot)
{
	const struct splice *splice = splice_of(slot);
	const struct path *path;

	if (!splice)
		return false;
	path = bpf_map_lookup_elem(&l7lb_paths, &splice->path);
	if (!path)
		return false;
	if (slot >> SLOT_DIRECTION_SHIFT == TO_SERVER)
		return key->source_port == splice->client_port && key->destination_port == path->vip_port &&
		       equals(&key->source, &splice->client) && equals(&key->destination, &path->vip);
	return key->source_port == path->server_port && key->destination_port == splice->source_port &&
	       equals(&key->source, &path->server) && equals(&key->destination, &splice->source);
}

/*
 * The slot of a bucket that has what stands before the record in `begins`, and whose splice has `key`; 0: none. Not
 * static, so that the verifier looks at it once.
 */
__noinline __u32 search(const struct tuple *key, __u32 hash, __u32 begins)
{
	__u32 number = (__u64)hash * settings.buckets >> 32;
	struct bucket *bucket = bpf_map_lookup_elem(&l7lb_index, &number);

	if (!key || !bucket)
		return 0;
	for (int place = 0; place < BUCKET_SLOTS; place++) {
		__u32 slot = *(volatile __u32 *)&bucket->slots[place];

		if ((slot & (SLOT_TAKEN | SLOT_TAG)) == begins && matches(key, slot))
			return slot;
	}
	return 0;
}

/* Whether a record is that of a connection that the program has let in, and that user space has not taken over. */
static __always_inline bool is_own(const struct splice *splice)
{
	return splice->flags & ADMITTED && !splice->generation;
}

/* The slot of `key` among those that the program has let in. Not static, either. */
__noinline __u32 find_admitted(const struct tuple *key)
{
	struct ipv4_tuple sought;
	__u32 *slot;

	if (!key || !is_mapped(&key->source))
		return 0;
	sought = (struct ipv4_tuple){
		.source = key->source.words[3],
		.destination = key->destination.words[3],
		.source_port = key->source_port,
		.destination_port = key->destination_port,
	};
	slot = bpf_map_lookup_elem(&l7lb_admitted, &sought);
	return slot ? *slot : 0;
}

/* The slot of `key`; 0 if no splice has it. Not static, either. */
__noinline __u32 find_splice(const struct tuple *key)
{
	__u32 hash, begins, slot;

	if (!key)
		return 0;
	hash = hashed(key, 0);
	begins = SLOT_TAKEN | (hash << SLOT_TAG_SHIFT & SLOT_TAG);
	slot = search(key, hash, begins);
	if (!slot)
		slot = search(key, hashed(key, 1), begins);
	return slot ? slot : find_admitted(key);
}

/* Whether the slow path waits for packets with `key`. */
static __always_inline bool is_expected(const struct tuple *key)
{
	__u64 *until = bpf_map_lookup_elem(&l7lb_expected, key);

	return until && bpf_ktime_get_coarse_ns() < *until;
}
