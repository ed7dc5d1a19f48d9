/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The eBPF fast path: docs/fastpath.md, step by step, as tc programs at the ingress of
 *   - every interface of the configuration (l7lb_port),
 *   - the program's side of the CPU interface, where the slow path's frames arrive (l7lb_cpu),
 *   - the slow path's side of it (l7lb_drop).
 */
#include <linux/if_packet.h>

#include "acceptance.h"
#include "access.h"
#include "admission.h"
#include "answer.h"
#include "icmp.h"
#include "translate.h"

#define ACTION_TRANSLATE 0
#define ACTION_EMIT 1
#define ACTION_ROUTE 2
#define EXPECT_REPLY 1
#define EXPECTED_FOR 60000000000ull /* ns */

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Step 6: a packet for a VIP and its port, of no splice. */
static __always_inline int listened(struct __sk_buff *skb, const struct arrival *arrival, struct packet *packet,
				    const struct tuple *key, const struct offer *offer)
{
	if (!packet->tcp_length)
		return drop(DROP_MALFORMED);
	if (arrival->injected)
		return drop(DROP_STALE);
	if (!is_served(offer, &key->source))
		return drop(DROP_DENIED);
	if ((packet->flags & (FLAG_SYN | FLAG_ACK)) == FLAG_SYN)
		return answer(skb, arrival, packet, offer);
	if (offer->client_first && packet->flags == FLAG_ACK && !packet->payload && acknowledges_cookie(packet)) {
		count(HANDSHAKES);
		return TC_ACT_SHOT;
	}
	return may_begin(skb, packet) ? let_in(skb, arrival, packet, offer) : punt(skb, arrival, REASON_MISS);
}

/* What the listener offers that a packet with `key` is for; NULL if there is none. */
static __noinline struct offer *offer_at(const struct tuple *key)
{
	struct endpoint listener = { .address = key->destination, .port = key->destination_port };

	return bpf_map_lookup_elem(&l7lb_listeners, &listener);
}

/* Step 3: what is not IP with TCP is the kernel's, but for an ICMP error about a packet whose answers would be ours. */
static __always_inline int other(struct __sk_buff *skb, const struct arrival *arrival, struct packet *packet,
				 struct tuple *answer)
{
	if (!arrival->injected && read_error(skb, packet, answer) &&
	    (find_splice(answer) || offer_at(answer) || is_expected(answer)))
		return punt(skb, arrival, REASON_ICMP);
	return unmatched(arrival);
}

/* Steps 3 to 9. */
static __always_inline int pipeline(struct __sk_buff *skb, const struct arrival *arrival, struct packet *packet)
{
	struct offer *offer;
	struct tuple key = {};
	__u32 slot;

	if (!read_ip(skb, packet))
		return other(skb, arrival, packet, &key);
	take_addresses(packet, &key);
	if (packet->is_fragment) {
		if (bpf_map_lookup_elem(&l7lb_vips, &key.destination))
			return punt(skb, arrival, REASON_FRAGMENT);
		return unmatched(arrival);
	}
	if (!read_tcp(skb, IP_OFFSET, packet))
		return unmatched(arrival);
	take_ports(packet, &key);
	slot = find_splice(&key);
	if (slot && !succeeds(packet, slot)) {
		if (is_asking(slot))
			return asking(skb, arrival, packet, slot);
		return spliced(skb, arrival, packet, slot, &key);
	}
	offer = offer_at(&key);
	if (offer)
		return listened(skb, arrival, packet, &key, offer);
	if (!arrival->injected && is_expected(&key))
		return punt(skb, arrival, REASON_MISS);
	return unmatched(arrival);
}

/* Makes the reply of a packet that the slow path sends expected; after a RST there is none. */
static __always_inline void expect_reply(const struct packet *packet)
{
	__u64 until = bpf_ktime_get_coarse_ns() + EXPECTED_FOR;
	struct tuple sent, key;

	take_addresses(packet, &sent);
	take_ports(packet, &sent);
	key = reversed(&sent);
	/* What has ended may have left the 4-tuple in use. */
	gives_way(find_admitted(&key));
	if (packet->flags & FLAG_RST)
		bpf_map_delete_elem(&l7lb_expected, &key);
	else
		bpf_map_update_elem(&l7lb_expected, &key, &until, BPF_ANY);
}

/* Sends a packet of the slow path's to its next hop; as it arrived on no port, it is routed as if on the first. */
static __noinline int route(struct __sk_buff *skb, struct packet *packet, __u8 flags)
{
	__u32 first = 0, *ifindex = bpf_map_lookup_elem(&l7lb_ports, &first);
	struct arrival arrival = { .injected = true };
	struct next_hop hop = {};

	if (read_ip(skb, packet) && !packet->is_fragment && read_tcp(skb, IP_OFFSET, packet)) {
		if (flags & EXPECT_REPLY)
			expect_reply(packet);
		if (packet->tcp_length)
			hop.length = length_on_wire(skb, packet, packet->ip_length);
	}
	if (!read_headers(skb, packet) || !ifindex)
		return drop(DROP_NO_ROUTE);
	arrival.ifindex = *ifindex;
	if (!find_next_hop(skb, *ifindex, packet, &packet->tcp.fixed, &hop))
		return hop.mtu ? punt_too_long(skb, &arrival, hop.mtu) : drop(DROP_NO_ROUTE);
	if (bpf_skb_store_bytes(skb, 0, &packet->ethernet, sizeof(packet->ethernet), 0))
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
	struct packet packet = {};

	/* Flooded by a switch or seen in promiscuous mode: someone else's to forward. */
	if (skb->pkt_type == PACKET_OTHERHOST)
		return unmatched(&arrival);
	return pipeline(skb, &arrival, &packet);
}

/* Steps 1 and 2. */
SEC("tc")
int l7lb_cpu(struct __sk_buff *skb)
{
	struct arrival arrival = { .injected = true };
	struct packet packet = {};
	struct cpu_header header;
	__u32 port, *ifindex;

	if (bpf_skb_load_bytes(skb, 0, &header, sizeof(header)) || header.lead != CPU_LEAD ||
	    header.marker != CPU_MARKER)
		return drop(DROP_FRAME);
	if (header.code == ACTION_ROUTE)
		return route(skb, &packet, header.flags);
	port = header.port[0] << 8 | header.port[1];
	ifindex = bpf_map_lookup_elem(&l7lb_ports, &port);
	if (!ifindex || !*ifindex)
		return drop(DROP_FRAME);
	if (header.code == ACTION_EMIT)
		return emit(skb, *ifindex);
	if (header.code != ACTION_TRANSLATE)
		return drop(DROP_FRAME);
	arrival.ifindex = *ifindex;
	return pipeline(skb, &arrival, &packet);
}

/* What the slow path has read from its raw socket by now goes no further. */
SEC("tc")
int l7lb_drop(struct __sk_buff *skb)
{
	return TC_ACT_SHOT;
}
