/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The values in the maps and the numbers in the frames; layout.py and fastpath/records.py say the same in Python. */
#pragma once

#include <linux/types.h>

/* fastpath.records.Direction */
enum direction { TO_SERVER, TO_CLIENT };

/* fastpath.records.Reason */
enum reason {
	REASON_SYN = 1,
	REASON_MISS,
	REASON_PIVOT,
	REASON_OPTIONS,
	REASON_FRAGMENT,
	REASON_ICMP = 7,
	REASON_FIN = 9,
	REASON_MTU,
};

/* fastpath.records.Drop */
enum drop {
	DROP_TTL = 1,
	DROP_MALFORMED,
	DROP_NO_ROUTE,
	DROP_STALE,
	DROP_FRAME,
	DROP_PUNT,
	DROP_INJECT,
	DROP_DENIED = 9,
};

/* Indexes of l7lb_counters; reasons and drops count from their base on. */
enum counter { PUNTS = 0, DROPS = 16, SYNS_ANSWERED = 32, HANDSHAKES, EVENTS_LOST, COUNTERS };

/* IPv4 addresses are v4-mapped (RFC 4291 section 2.5.5.2). */
struct address {
	__be32 words[4];
};

struct endpoint {
	struct address address;
	__be16 port;
	__u16 zero;
};

/* The addresses and ports of a packet. */
struct tuple {
	struct address source;
	struct address destination;
	__be16 source_port;
	__be16 destination_port;
};

/*
 * Bits of translation.closing: 1 << direction once the FIN of that direction's sender was acknowledged,
 * and RESET_TO_SERVER << direction once a RST has passed in it.
 */
#define CLOSING_FINS (1 << TO_SERVER | 1 << TO_CLIENT)
#define RESET_TO_SERVER 4
#define CLOSING_RESET (RESET_TO_SERVER << TO_SERVER | RESET_TO_SERVER << TO_CLIENT)

/* One direction of a splice: packets that carry its key leave with `becomes`. */
struct translation {
	struct tuple becomes;
	__u16 server;
	__u8 direction;
	__u8 has_pivot; /* in both; the pivot itself toward the server only */
	__u32 sequence;
	__u32 acknowledgment;
	__u32 tsval;
	__u32 tsecr;
	__u32 pivot;
	__u32 generation; /* tells the splice from earlier ones of the same flow */
	__u64 last_seen;  /* CLOCK_MONOTONIC, ns */
	__u64 fin;	  /* FIN_PASSED | the ACK that covers the FIN of the other direction; 0: nothing to wait for */
	__u32 closing;	  /* of both directions, in the entry toward the server */
	__u32 packets;	  /* that were sent on, as on the wire */
	__u64 payload;	  /* the bytes of TCP payload in them */
};

#define FIN_PASSED (1ull << 32)

/* fastpath.records.Offer, and what else a listener has */
struct offer {
	__u16 mss; /* 0: the slow path answers */
	__u16 window;
	__u8 window_scale; /* NO_SCALE: none */
	__u8 sack;
	__u8 timestamps;
	__u8 ecn;
	__u8 client_first;
	__u8 zero[3];
	__u32 access; /* the number of its list in l7lb_access; 0: everybody is served */
};

#define NO_SCALE 15

struct traffic {
	__u64 packets;
	__u64 bytes;
};

/* A SipHash key as its two little-endian halves. */
struct cookie_key {
	__u64 k0;
	__u64 k1;
};

/* What the ring buffer carries: `cause` is CLOSING_FINS or the bit of CLOSING_RESET that came first. */
struct event {
	struct tuple flow; /* client to VIP */
	__u32 generation;
	__u32 cause;
};
