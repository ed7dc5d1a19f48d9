/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where a packet ends that is not forwarded: left to the kernel, dropped, or handed to the slow path. */
#pragma once

#include <linux/pkt_cls.h>

#include "maps.h"
#include "packet.h"

#define CPU_LEAD 0x02
#define CPU_MARKER 0x4c

/* Stands in place of the Ethernet destination address (fastpath/frame.py). */
struct cpu_header {
	__u8 lead;
	__u8 code; /* reason or action */
	__u8 flags;
	__u8 port[2]; /* big-endian */
	__u8 marker;
};

static __always_inline int drop(enum drop reason)
{
	count(DROPS + reason);
	return TC_ACT_SHOT;
}

/* Matches nothing of ours: the next filter's or the kernel's, untouched. */
static __always_inline int unmatched(const struct arrival *arrival)
{
	return arrival->injected ? drop(DROP_STALE) : TC_ACT_UNSPEC;
}

static __always_inline int punt(struct __sk_buff *skb, const struct arrival *arrival, enum reason reason)
{
	__u32 *port = bpf_map_lookup_elem(&l7lb_ifindexes, &arrival->ifindex);
	struct cpu_header header = { .lead = CPU_LEAD, .code = reason, .marker = CPU_MARKER };

	if (!port)
		return drop(DROP_PUNT);
	header.port[0] = *port >> 8;
	header.port[1] = *port;
	if (bpf_skb_store_bytes(skb, 0, &header, sizeof(header), 0))
		return drop(DROP_PUNT);
	count(PUNTS + reason);
	return bpf_redirect(settings.cpu_ifindex, 0);
}

/* Hands a packet over that is too long for its next hop, whose MTU stands behind the CPU header. */
static __always_inline int punt_too_long(struct __sk_buff *skb, const struct arrival *arrival, __u32 mtu)
{
	__be16 limit = bpf_htons(mtu);

	if (bpf_skb_store_bytes(skb, sizeof(struct cpu_header), &limit, sizeof(limit), 0))
		return drop(DROP_PUNT);
	return punt(skb, arrival, REASON_MTU);
}
