/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Requests that go on without the slow path, as it has decided on the same head before (docs/fastpath.md, Precedents). */
#pragma once

#include <asm/byteorder.h>

#include "index.h"
#include "packet.h"
#include "siphash.h"

#define MAX_HEAD 2048 /* fastpath.records.HEAD_LIMIT */

/* A payload: there is no room for one on the stack. */
struct payload {
	__le64 words[MAX_HEAD / 8 + 1];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct payload);
} l7lb_payload SEC(".maps");

/* SipHash-2-4 of a payload of 1..MAX_HEAD bytes; 0 if it cannot be read. Not static, so that the verifier looks once. */
__noinline __u64 hash_payload(struct __sk_buff *skb, __u32 offset, __u32 length)
{
	/* Read one by one: a cast that hides that they are volatile has them taken for zeros. */
	struct cookie_key key = { .k0 = settings.head_key.k0, .k1 = settings.head_key.k1 };
	struct siphash hash = siphash_start(&key);
	__u32 first = 0, word = 0;
	struct payload *payload = bpf_map_lookup_elem(&l7lb_payload, &first);
	__u64 last;

	if (!payload || !length || length > MAX_HEAD || bpf_skb_load_bytes(skb, offset, payload, length))
		return 0;
	for (; word < MAX_HEAD / 8 && word < length / 8; word++)
		siphash_word(&hash, __le64_to_cpu(payload->words[word]));
	/* What an earlier one has left behind this one's end is masked. */
	last = length % 8 ? __le64_to_cpu(payload->words[word]) & (1ull << length % 8 * 8) - 1 : 0;
	return siphash_end(hash, last | (__u64)length << 56);
}

/* Whether the client has got something since the last request that followed a precedent: else that is unanswered. */
static __always_inline bool has_progressed(const struct splice *splice, const struct packet *packet)
{
	return !(splice->closing & FOLLOWED) ||
	       (__s32)(bpf_ntohl(packet->tcp.fixed.ack_seq) - splice->response_start) > 0;
}

/* Whether a packet is a request at the splice's pivot, as far as its headers tell. */
static __always_inline bool may_follow(const struct splice *splice, const struct packet *packet)
{
	return splice->flags & FOLLOWS_PRECEDENTS && !(splice->flags & WITHDRAWN) && !(splice->closing & ~FOLLOWED) &&
	       packet->payload <= MAX_HEAD && (packet->flags & ~FLAGS_OF_DATA) == FLAG_ACK &&
	       bpf_ntohl(packet->tcp.fixed.seq) == splice->pivot && has_progressed(splice, packet);
}

/* Whether a request past the pivot goes on as others with its head did, with the pivot moved behind it. */
static __noinline bool follows_precedent(struct __sk_buff *skb, struct splice *splice, const struct packet *packet)
{
	__u32 start = splice->pivot;
	struct precedent_key key = { .path = splice->path };
	struct precedent *precedent;
	__u64 *followed;

	if (!may_follow(splice, packet))
		return false;
	key.hash = hash_payload(skb, IP_OFFSET + packet->ip_length + packet->tcp_length, packet->payload);
	precedent = bpf_map_lookup_elem(&l7lb_precedents, &key);
	if (!precedent || precedent->until <= bpf_ktime_get_coarse_ns())
		return false;
	/* Of the same packet on two processors, the second one is past no pivot any more. */
	if (__sync_val_compare_and_swap(&splice->pivot, start, start + packet->payload) != start)
		return false;
	splice->request_start = start;
	splice->response_start = bpf_ntohl(packet->tcp.fixed.ack_seq);
	if (!(splice->closing & FOLLOWED))
		__sync_fetch_and_or(&splice->closing, FOLLOWED);
	followed = bpf_map_lookup_elem(&l7lb_followed, &precedent->label);
	if (followed)
		++*followed;
	return true;
}
