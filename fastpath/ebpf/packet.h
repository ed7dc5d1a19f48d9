/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The headers of a packet, copied out of the frame; they may lie in any fragment of the skb. */
#pragma once

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "records.h"

#define IP_OFFSET sizeof(struct ethhdr)
#define TCP_OFFSET (IP_OFFSET + sizeof(struct iphdr)) /* without IPv4 options */
#define HEADERS_LENGTH TCP_OFFSET
#define MAX_TCP_OPTIONS 40
#define FRAGMENT_MASK 0x3fff /* MF and the offset */

#define FLAG_FIN 0x01
#define FLAG_SYN 0x02
#define FLAG_RST 0x04
#define FLAG_ACK 0x10
#define FLAG_ECE 0x40
#define FLAG_CWR 0x80

struct segment_header {
	struct tcphdr fixed;
	__u8 options[MAX_TCP_OPTIONS];
};

/* How a packet came: `ifindex` is the port's, also for one that was injected as if it had arrived there. */
struct arrival {
	__u32 ifindex;
	bool injected;
};

struct packet {
	__u16 align_ip;
	struct ethhdr ethernet;
	struct iphdr ip;
	struct segment_header tcp;
	__u32 ip_length;  /* of the IPv4 header */
	__u32 tcp_length; /* of the TCP header; 0: malformed */
	__u32 payload;	  /* bytes of TCP payload */
	__u8 flags;
};

static __always_inline struct address mapped(__be32 address)
{
	return (struct address){ { 0, 0, bpf_htonl(0xffff), address } };
}

/* Reads the Ethernet and IPv4 headers; false unless it is IPv4 with TCP and wholly in the frame. */
static __always_inline bool read_ip(struct __sk_buff *skb, struct packet *packet)
{
	__u32 total;

	if (bpf_skb_load_bytes(skb, 0, &packet->ethernet, HEADERS_LENGTH))
		return false;
	/* A VLAN tag that an offload took out of the frame belongs to it all the same. */
	if (packet->ethernet.h_proto != bpf_htons(ETH_P_IP) || skb->vlan_present)
		return false;
	total = bpf_ntohs(packet->ip.tot_len);
	packet->ip_length = packet->ip.ihl * 4;
	return packet->ip.version == 4 && packet->ip.protocol == IPPROTO_TCP &&
	       packet->ip_length >= sizeof(struct iphdr) && packet->ip_length <= total &&
	       IP_OFFSET + total <= skb->len;
}

static __always_inline bool is_fragment(const struct packet *packet)
{
	return packet->ip.frag_off & bpf_htons(FRAGMENT_MASK);
}

/* Reads the TCP header without its options; false if the packet ends before its ports do. */
static __always_inline bool read_tcp(struct __sk_buff *skb, struct packet *packet)
{
	__u32 available = bpf_ntohs(packet->ip.tot_len) - packet->ip_length;
	__u32 offset = IP_OFFSET + packet->ip_length;
	__u32 length;

	if (available < sizeof(struct tcphdr))
		return available >= 4 && !bpf_skb_load_bytes(skb, offset, &packet->tcp, 4);
	if (bpf_skb_load_bytes(skb, offset, &packet->tcp, sizeof(struct tcphdr)))
		return false;
	length = packet->tcp.fixed.doff * 4;
	if (length >= sizeof(struct tcphdr) && length <= available) {
		packet->tcp_length = length;
		packet->payload = available - length;
		packet->flags = ((const __u8 *)&packet->tcp)[13];
	}
	return true;
}

/* Reads the TCP options of a packet without IPv4 options. */
static __always_inline bool read_options(struct __sk_buff *skb, struct packet *packet)
{
	__u32 length = packet->tcp_length - sizeof(struct tcphdr);

	if (length == 0)
		return true;
	return length <= MAX_TCP_OPTIONS &&
	       !bpf_skb_load_bytes(skb, TCP_OFFSET + sizeof(struct tcphdr), packet->tcp.options, length);
}

static __always_inline struct tuple tuple_of(const struct packet *packet)
{
	return (struct tuple){
		.source = mapped(packet->ip.saddr),
		.destination = mapped(packet->ip.daddr),
		.source_port = packet->tcp.fixed.source,
		.destination_port = packet->tcp.fixed.dest,
	};
}

static __always_inline struct tuple reversed(const struct tuple *tuple)
{
	return (struct tuple){
		.source = tuple->destination,
		.destination = tuple->source,
		.source_port = tuple->destination_port,
		.destination_port = tuple->source_port,
	};
}
