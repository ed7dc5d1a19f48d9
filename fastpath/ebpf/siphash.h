/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* SipHash-2-4 (Aumasson and Bernstein, 2012), word by word. */
#pragma once

#include "records.h"

struct siphash {
	__u64 v0;
	__u64 v1;
	__u64 v2;
	__u64 v3;
};

static __always_inline __u64 rotated(__u64 value, int bits)
{
	return value << bits | value >> (64 - bits);
}

static __always_inline void sip_round(struct siphash *h)
{
	h->v0 += h->v1;
	h->v2 += h->v3;
	h->v1 = rotated(h->v1, 13) ^ h->v0;
	h->v3 = rotated(h->v3, 16) ^ h->v2;
	h->v0 = rotated(h->v0, 32);
	h->v2 += h->v1;
	h->v0 += h->v3;
	h->v1 = rotated(h->v1, 17) ^ h->v2;
	h->v3 = rotated(h->v3, 21) ^ h->v0;
	h->v2 = rotated(h->v2, 32);
}

static __always_inline struct siphash siphash_start(const struct cookie_key *key)
{
	return (struct siphash){
		.v0 = key->k0 ^ 0x736f6d6570736575ull,
		.v1 = key->k1 ^ 0x646f72616e646f6dull,
		.v2 = key->k0 ^ 0x6c7967656e657261ull,
		.v3 = key->k1 ^ 0x7465646279746573ull,
	};
}

/* Takes in eight bytes of the message, read as a little-endian number. */
static __always_inline void siphash_word(struct siphash *h, __u64 word)
{
	h->v3 ^= word;
	sip_round(h);
	sip_round(h);
	h->v0 ^= word;
}

/* The hash once `last` is taken in: up to seven bytes, and the message's length in the eighth. */
static __always_inline __u64 siphash_end(struct siphash h, __u64 last)
{
	siphash_word(&h, last);
	h.v2 ^= 0xff;
	sip_round(&h);
	sip_round(&h);
	sip_round(&h);
	sip_round(&h);
	return h.v0 ^ h.v1 ^ h.v2 ^ h.v3;
}
