// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A bad wire: loses, duplicates, reorders and corrupts IPv4 packets at random.
 *
 * `wire` runs at the ingress of a switch's port. A packet to be reordered takes the detour, a veth
 * pair with a slow tbf qdisc, and `comeback` puts it back onto its port, behind packets that came
 * after it. A tbf lets a packet through at once while it has tokens, so a ballast packet that
 * uses them up goes first.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define MAX_PORTS 64
#define MARK_DONE 0x10000    /* has been on this wire already */
#define MARK_BALLAST 0x20000 /* goes nowhere */
#define MARK_PORT 0xffff     /* on the detour: the port's ifindex */

/* Chances out of 2^32. */
struct rule {
	__u32 lose;
	__u32 duplicate;
	__u32 reorder;
	__u32 corrupt;
};

struct tally {
	__u64 packets;
	__u64 lost;
	__u64 duplicated;
	__u64 reordered;
	__u64 corrupted;
};

struct setup {
	__u64 random; /* SplitMix64's state: the seed at first */
	__u32 detour; /* ifindex of the detour's near end */
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_PORTS);
	__type(key, __u32); /* ifindex */
	__type(value, struct rule);
} rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_PORTS);
	__type(key, __u32); /* ifindex */
	__type(value, struct tally);
} tallies SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct setup);
} setups SEC(".maps");

static __always_inline __u64 next_random(struct setup *setup)
{
	__u64 z = __sync_fetch_and_add(&setup->random, 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static __always_inline int happens(struct setup *setup, __u32 chance)
{
	return (__u32)(next_random(setup) >> 32) < chance;
}

static __always_inline void corrupt(struct __sk_buff *skb, struct setup *setup)
{
	__u64 random = next_random(setup);
	__u32 offset = ETH_HLEN + (__u32)(random >> 32) % (skb->len - ETH_HLEN);
	__u8 byte;

	if (bpf_skb_load_bytes(skb, offset, &byte, 1))
		return;
	byte ^= 1 << (random & 7);
	bpf_skb_store_bytes(skb, offset, &byte, 1, 0);
}

static __always_inline int take_detour(struct __sk_buff *skb, struct setup *setup)
{
	skb->mark = MARK_BALLAST;
	bpf_clone_redirect(skb, setup->detour, 0);
	skb->mark = skb->ifindex & MARK_PORT;
	return bpf_redirect(setup->detour, 0);
}

SEC("tc")
int wire(struct __sk_buff *skb)
{
	__u32 port = skb->ifindex, zero = 0;
	struct setup *setup = bpf_map_lookup_elem(&setups, &zero);
	struct rule *rule = bpf_map_lookup_elem(&rules, &port);
	struct tally *tally = bpf_map_lookup_elem(&tallies, &port);

	if (skb->mark & MARK_DONE) {
		skb->mark = 0;
		return TC_ACT_OK;
	}
	if (!setup || !rule || !tally || skb->protocol != bpf_htons(ETH_P_IP) || skb->len <= ETH_HLEN)
		return TC_ACT_OK;
	__sync_fetch_and_add(&tally->packets, 1);
	if (happens(setup, rule->lose)) {
		__sync_fetch_and_add(&tally->lost, 1);
		return TC_ACT_SHOT;
	}
	if (happens(setup, rule->duplicate)) {
		__sync_fetch_and_add(&tally->duplicated, 1);
		skb->mark = MARK_DONE;
		bpf_clone_redirect(skb, port, BPF_F_INGRESS);
		skb->mark = 0;
	}
	if (happens(setup, rule->corrupt)) {
		__sync_fetch_and_add(&tally->corrupted, 1);
		corrupt(skb, setup);
	}
	if (happens(setup, rule->reorder)) {
		__sync_fetch_and_add(&tally->reordered, 1);
		return take_detour(skb, setup);
	}
	return TC_ACT_OK;
}

SEC("tc")
int comeback(struct __sk_buff *skb)
{
	__u32 port = skb->mark & MARK_PORT;

	if (skb->mark & MARK_BALLAST || !port)
		return TC_ACT_SHOT;
	skb->mark = MARK_DONE;
	return bpf_redirect(port, BPF_F_INGRESS);
}

char _license[] SEC("license") = "Dual BSD/GPL";
