/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The eBPF fast path: docs/fastpath.md, step by step, as tc programs at the ingress of
 *   - every interface of the configuration (l7lb_port),
 *   - the program's side of the CPU interface, where the slow path's frames arrive (l7lb_cpu),
 *   - the slow path's side of it (l7lb_drop).
 */
#include <linux/if_packet.h>

#include "answer.h"
#include "translate.h"

#define ACTION_TRANSLATE 0
#define ACTION_EMIT 1
#define ACTION_ROUTE 2
#define EXPECT_REPLY 1
#define EXPECTED_FOR 60000000000ull /* ns */

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Step 6: a packet for a VIP and its port, of no splice. */
static __always_inline int listened(struct __sk_buff *skb, const struct arrival *arrival, struct packet *packet,
				    const struct offer *offer)
{
	if (!packet->tcp_length)
		return drop(DROP_MALFORMED);
	if (arrival->injected)
		return drop(DROP_STALE);
	if ((packet->flags & (FLAG_SYN | FLAG_ACK)) == FLAG_SYN)
		return answer(skb, arrival, packet, offer);
	if (packet->flags == FLAG_ACK && !packet->payload && acknowledges_cookie(packet)) {
		count(HANDSHAKES);
		return TC_ACT_SHOT;
	}
	return punt(skb, arrival, REASON_MISS);
}

static __always_inline bool is_expected(const struct tuple *key)
{
	__u64 *until = bpf_map_lookup_elem(&l7lb_expected, key);

	return until && bpf_ktime_get_coarse_ns() < *until;
}

/* Steps 3 to 9. */
static __always_inline int pipeline(struct __sk_buff *skb, const struct arrival *arrival)
{
	struct packet packet = {};
	struct translation *translation;
	struct endpoint destination = {};
	struct offer *offer;
	struct tuple key;

	if (!read_ip(skb, &packet))
		return unmatched(arrival);
	destination.address = mapped(packet.ip.daddr);
	if (is_fragment(&packet)) {
		if (bpf_map_lookup_elem(&l7lb_vips, &destination.address))
			return punt(skb, arrival, REASON_FRAGMENT);
		return unmatched(arrival);
	}
	if (!read_tcp(skb, &packet))
		return unmatched(arrival);
	key = tuple_of(&packet);
	translation = bpf_map_lookup_elem(&l7lb_flows, &key);
	if (translation)
		return spliced(skb, arrival, &packet, &key, translation);
	destination.port = key.destination_port;
	offer = bpf_map_lookup_elem(&l7lb_listeners, &destination);
	if (offer)
		return listened(skb, arrival, &packet, offer);
	if (!arrival->injected && is_expected(&key))
		return punt(skb, arrival, REASON_MISS);
	return unmatched(arrival);
}

/* Makes the reply of a packet that the slow path sends expected; after a RST there is none. */
static __always_inline void expect_reply(struct __sk_buff *skb, struct packet *packet)
{
	__u64 until = bpf_ktime_get_coarse_ns() + EXPECTED_FOR;
	struct tuple sent, key;

	if (!read_ip(skb, packet) || is_fragment(packet) || !read_tcp(skb, packet))
		return;
	sent = tuple_of(packet);
	key = reversed(&sent);
	if (packet->flags & FLAG_RST)
		bpf_map_delete_elem(&l7lb_expected, &key);
	else
		bpf_map_update_elem(&l7lb_expected, &key, &until, BPF_ANY);
}

/* Sends a packet of the slow path's to its next hop; as it arrived on no port, it is routed as if on the first. */
static __noinline int route(struct __sk_buff *skb, __u8 flags)
{
	__u32 first = 0, *ifindex = bpf_map_lookup_elem(&l7lb_ports, &first);
	struct packet packet = {};
	struct next_hop hop = {};

	if (flags & EXPECT_REPLY)
		expect_reply(skb, &packet);
	if (bpf_skb_load_bytes(skb, 0, &packet.ethernet, HEADERS_LENGTH) ||
	    packet.ethernet.h_proto != bpf_htons(ETH_P_IP) || !ifindex ||
	    !find_next_hop(skb, *ifindex, &packet, &packet.tcp.fixed, &hop) ||
	    bpf_skb_store_bytes(skb, 0, &packet.ethernet, sizeof(packet.ethernet), 0))
		return drop(DROP_NO_ROUTE);
	return send(&hop);
}

/* Sends a frame to the address in its source field. */
static __always_inline int emit(struct __sk_buff *skb, __u32 ifindex)
{
	struct ethhdr ethernet;
	__u8 addresses[2 * ETH_ALEN];

	if (bpf_skb_load_bytes(skb, 0, &ethernet, sizeof(ethernet)))
		return drop(DROP_FRAME);
	__builtin_memcpy(addresses, ethernet.h_source, ETH_ALEN);
	__builtin_memcpy(addresses + ETH_ALEN, ethernet.h_dest, ETH_ALEN);
	if (bpf_skb_store_bytes(skb, 0, addresses, sizeof(addresses), 0))
		return drop(DROP_FRAME);
	return bpf_redirect(ifindex, 0);
}

SEC("tc")
int l7lb_port(struct __sk_buff *skb)
{
	struct arrival arrival = { .ifindex = skb->ifindex };

	/* Flooded by a switch or seen in promiscuous mode: someone else's to forward. */
	if (skb->pkt_type == PACKET_OTHERHOST)
		return unmatched(&arrival);
	return pipeline(skb, &arrival);
}

/* Steps 1 and 2. */
SEC("tc")
int l7lb_cpu(struct __sk_buff *skb)
{
	struct arrival arrival = { .injected = true };
	struct cpu_header header;
	__u32 port, *ifindex;

	if (bpf_skb_load_bytes(skb, 0, &header, sizeof(header)) || header.lead != CPU_LEAD ||
	    header.marker != CPU_MARKER)
		return drop(DROP_FRAME);
	if (header.code == ACTION_ROUTE)
		return route(skb, header.flags);
	port = header.port[0] << 8 | header.port[1];
	ifindex = bpf_map_lookup_elem(&l7lb_ports, &port);
	if (!ifindex || !*ifindex)
		return drop(DROP_FRAME);
	if (header.code == ACTION_EMIT)
		return emit(skb, *ifindex);
	if (header.code != ACTION_TRANSLATE)
		return drop(DROP_FRAME);
	arrival.ifindex = *ifindex;
	return pipeline(skb, &arrival);
}

/* What the slow path has read from its raw socket by now goes no further. */
SEC("tc")
int l7lb_drop(struct __sk_buff *skb)
{
	return TC_ACT_SHOT;
}
