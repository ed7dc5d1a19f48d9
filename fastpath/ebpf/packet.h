/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The headers of a packet, copied out of the frame; they may lie in any fragment of the skb. */
#pragma once

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "records.h"

#define IP_OFFSET sizeof(struct ethhdr)
#define MAX_TCP_OPTIONS 40
#define MAX_EXTENSION_HEADERS 4
#define EXTENSION_UNIT 8 /* bytes */
#define FRAGMENT_MASK 0x3fff /* MF and the offset */

#define FLAG_FIN 0x01
#define FLAG_SYN 0x02
#define FLAG_RST 0x04
#define FLAG_PSH 0x08
#define FLAG_ACK 0x10
#define FLAG_ECE 0x40
#define FLAG_CWR 0x80
#define FLAGS_OF_DATA (FLAG_PSH | FLAG_ECE | FLAG_CWR) /* that data may have and mean nothing by */

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
	union {
		struct iphdr ip;
		struct ipv6hdr ip6;
	};
	struct segment_header tcp;
	__u32 ip_length;  /* of the IPv4 header, or IPv6's with its extension headers */
	__u32 total;	  /* of the IP packet */
	__u32 tcp_length; /* of the TCP header; 0: malformed */
	__u32 payload;	  /* bytes of TCP payload */
	__u8 flags;
	bool is_ipv6;
	bool is_fragment;
};

static __always_inline struct address mapped(__be32 address)
{
	return (struct address){ { 0, 0, bpf_htonl(0xffff), address } };
}

/* Whether it is an IPv4 address, or that of an IPv6 packet that pretends to have one. */
static __always_inline bool is_mapped(const struct address *address)
{
	return !address->words[0] && !address->words[1] && address->words[2] == bpf_htonl(0xffff);
}

/* The length of the fixed IP header. */
static __always_inline __u32 fixed_length(const struct packet *packet)
{
	return packet->is_ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
}

/* Whether there are IPv4 options or IPv6 extension headers. */
static __always_inline bool has_ip_options(const struct packet *packet)
{
	return packet->ip_length != fixed_length(packet);
}

/* Judges the IPv4 header in packet->ip; false unless TCP follows. */
static __always_inline bool locate_ipv4(struct packet *packet)
{
	packet->total = bpf_ntohs(packet->ip.tot_len);
	packet->ip_length = packet->ip.ihl * 4;
	packet->is_fragment = packet->ip.frag_off & bpf_htons(FRAGMENT_MASK);
	return packet->ip.version == 4 && packet->ip.protocol == IPPROTO_TCP &&
	       packet->ip_length >= sizeof(struct iphdr) && packet->ip_length <= packet->total;
}

static __always_inline bool is_extension(__u8 header)
{
	return header == IPPROTO_HOPOPTS || header == IPPROTO_ROUTING || header == IPPROTO_FRAGMENT ||
	       header == IPPROTO_DSTOPTS;
}

/*
 * Looks behind the extension headers of an IPv6 packet that starts at `offset`, up to a Fragment header;
 * false unless TCP follows. Not static, so that the verifier looks at it once.
 */
__noinline int skip_extensions(struct __sk_buff *skb, __u32 offset, struct packet *packet)
{
	struct {
		__u8 next;
		__u8 units; /* beyond the first one */
	} extension = {};
	__u32 length = sizeof(struct ipv6hdr);
	__u8 header;

	if (!packet)
		return false;
	header = packet->ip6.nexthdr;
	for (int count = 0; count < MAX_EXTENSION_HEADERS && is_extension(header) && !packet->is_fragment; count++) {
		if (length + EXTENSION_UNIT > packet->total ||
		    bpf_skb_load_bytes(skb, offset + length, &extension, sizeof(extension)))
			return false;
		packet->is_fragment = header == IPPROTO_FRAGMENT;
		length += EXTENSION_UNIT + (packet->is_fragment ? 0 : EXTENSION_UNIT * extension.units);
		header = extension.next;
	}
	packet->ip_length = length;
	return header == IPPROTO_TCP && length <= packet->total;
}

/* Judges the IPv6 header in packet->ip6, which starts at `offset`; false unless TCP follows. */
static __always_inline bool locate_ipv6(struct __sk_buff *skb, __u32 offset, struct packet *packet)
{
	packet->total = sizeof(struct ipv6hdr) + bpf_ntohs(packet->ip6.payload_len);
	packet->ip_length = sizeof(struct ipv6hdr);
	if (packet->ip6.version != 6 || is_mapped((struct address *)&packet->ip6.saddr) ||
	    is_mapped((struct address *)&packet->ip6.daddr))
		return false;
	return packet->ip6.nexthdr == IPPROTO_TCP || skip_extensions(skb, offset, packet);
}

/* Reads the Ethernet and the fixed IP header; false if it is not IP or ends before. */
static __always_inline bool read_headers(struct __sk_buff *skb, struct packet *packet)
{
	if (bpf_skb_load_bytes(skb, 0, &packet->ethernet, IP_OFFSET + sizeof(struct iphdr)))
		return false;
	packet->is_ipv6 = packet->ethernet.h_proto == bpf_htons(ETH_P_IPV6);
	if (packet->is_ipv6)
		return !bpf_skb_load_bytes(skb, IP_OFFSET, &packet->ip6, sizeof(struct ipv6hdr));
	return packet->ethernet.h_proto == bpf_htons(ETH_P_IP);
}

/* Reads the Ethernet and IP headers; false unless it is IP with TCP and wholly in the frame. */
static __always_inline bool read_ip(struct __sk_buff *skb, struct packet *packet)
{
	/* A VLAN tag that an offload took out of the frame belongs to it all the same. */
	if (!read_headers(skb, packet) || skb->vlan_present)
		return false;
	if (!(packet->is_ipv6 ? locate_ipv6(skb, IP_OFFSET, packet) : locate_ipv4(packet)))
		return false;
	return IP_OFFSET + packet->total <= skb->len;
}

/* Reads the TCP header, without its options, of an IP packet at `offset`; false if that ends before its ports do. */
static __always_inline bool read_tcp(struct __sk_buff *skb, __u32 offset, struct packet *packet)
{
	__u32 available = packet->total - packet->ip_length;
	__u32 length;

	offset += packet->ip_length;
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

/* Reads the TCP options. */
static __always_inline bool read_options(struct __sk_buff *skb, struct packet *packet)
{
	__u32 length = packet->tcp_length - sizeof(struct tcphdr);

	/* Whole words or none, said in the way in which every verifier sees that it is not 0 below. */
	if (length < sizeof(__u32))
		return true;
	return length <= MAX_TCP_OPTIONS &&
	       !bpf_skb_load_bytes(skb, IP_OFFSET + packet->ip_length + sizeof(struct tcphdr), packet->tcp.options,
				   length);
}

/* Reads the addresses into `tuple`. */
static __always_inline void take_addresses(const struct packet *packet, struct tuple *tuple)
{
	if (packet->is_ipv6) {
		__builtin_memcpy(&tuple->source, &packet->ip6.saddr, sizeof(tuple->source));
		__builtin_memcpy(&tuple->destination, &packet->ip6.daddr, sizeof(tuple->destination));
	} else {
		tuple->source = mapped(packet->ip.saddr);
		tuple->destination = mapped(packet->ip.daddr);
	}
}

static __always_inline void take_ports(const struct packet *packet, struct tuple *tuple)
{
	tuple->source_port = packet->tcp.fixed.source;
	tuple->destination_port = packet->tcp.fixed.dest;
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
