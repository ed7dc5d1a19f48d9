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

#define TUPLE_WORDS 9

/* The same of an IPv4 packet. */
struct ipv4_tuple {
	__be32 source;
	__be32 destination;
	__be16 source_port;
	__be16 destination_port;
};

/* Of the index of splices: index.h. */
#define BUCKET_SLOTS 8

struct bucket {
	__u32 slots[BUCKET_SLOTS];
};

/* What all splices of one VIP and one server have in common. */
struct path {
	struct address vip;
	struct address server;
	__be16 vip_port;
	__be16 server_port;
	__u16 server_id;
	__u16 zero;
};

/* Bits of splice.flags. */
#define HAS_PIVOT 1
#define WITHDRAWN 2 /* is about to go: what is expected of its server stays so */
#define FOLLOWS_PRECEDENTS 4
#define ADMITTED 8  /* the program has let the connection in; it is the program's own while the generation is 0 */
#define ASKING 16   /* its server has yet to answer: `asked` holds what for */
#define DECIDED 32  /* what becomes of that is being decided on by one processor */
#define REPEATED 64 /* the client has sent its segment again */
#define GONE 128    /* its tuples are in l7lb_admitted no more */
#define BLANK 256   /* its record is in l7lb_blanks */
#define LEAD_SHIFT 9   /* of the eleven bits that the client's cookie begins with, */
#define LABEL_SHIFT 20 /* and of the twelve of the admission's label */

/*
 * Bits of splice.closing: 1 << direction once a packet of that direction has acknowledged the other one's FIN,
 * RESET_TO_SERVER << direction once a RST has passed in it, and FIN_TO_SERVER << direction once a FIN has.
 */
#define CLOSING_FINS (1 << TO_SERVER | 1 << TO_CLIENT)
#define RESET_TO_SERVER 4
#define CLOSING_RESET (RESET_TO_SERVER << TO_SERVER | RESET_TO_SERVER << TO_CLIENT)
#define FIN_TO_SERVER 16
#define FOLLOWED 64 /* a precedent: what was asked last is noted in the place of FINs, as long as there are none */

#define DIRECTIONS 2

/* What a connection is to become, as the segment says that let it in. */
struct asked {
	__u64 head;	      /* its hash */
	__u32 sequence;	      /* where the client's stream starts, */
	__u32 acknowledgment; /* and ours */
	__u32 tsval;
	__u32 tsecr;
	__u16 window;
	__u8 window_scale; /* that was offered to the client; NO_SCALE: none */
	__u8 zero[5];
};

/*
 * A splice: both of its directions, as fastpath.records.Splice. User space alone writes what stands before `closing`,
 * and of that only `pivot` and `flags` once the record is in the index; the program alone writes the rest from then on.
 * It moves the pivot as well, behind a request that follows a precedent. Of a connection that it has let in, it has
 * written all but the generation.
 */
struct splice {
	struct address client;
	struct address source; /* what the server takes for its client */
	__be16 client_port;
	__be16 source_port;
	__u32 path;
	__u32 delta;
	__u32 timestamp_delta;
	__u32 pivot;
	__u32 flags;
	__u32 generation;		/* tells the splice from earlier ones of the same record; 0: none is there */
	__u32 closing;
	__u32 last_seen[DIRECTIONS];	/* CLOCK_MONOTONIC in ticks of 2^TICK_SHIFT ns, modulo 2^32 */
	union {
		struct {
			union {
				__u32 fin[DIRECTIONS];	/* the ACK of this direction that covers the other one's FIN, if it has passed */
				struct {
					__u32 request_start;  /* fastpath.records.Followed */
					__u32 response_start;
				};
			};
			__u32 packets[DIRECTIONS];	/* that were sent on, as on the wire */
			__u64 payload[DIRECTIONS];	/* the bytes of TCP payload in them */
		};
		struct asked asked;		/* while ASKING */
	};
};

#define TICK_SHIFT 20

/* What is added to the numbers of the packets of one direction, modulo 2^32. */
struct translation {
	__u32 sequence;
	__u32 acknowledgment;
	__u32 tsval;
	__u32 tsecr;
};

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

/* What a precedent is known by: the path of its splices, and the SipHash of its head. */
struct precedent_key {
	__u64 hash;
	__u32 path;
	__u32 zero;
};

/* fastpath.records.Precedent; `until` is of CLOCK_MONOTONIC, in ns */
struct precedent {
	__u64 until;
	__u32 label;
	__u32 zero;
};

#define MAX_TURNS 16
#define ADMISSION_LEAST 8 /* bytes of a head; fastpath.records.ADMISSION_HEADS */
#define ADMISSION_MOST 1460

/* What an admission is known by: the SipHash of its head, and the VIP. */
struct admission_key {
	__u64 hash;
	__be32 vip;
	__be16 port;
	__u16 zero;
};

/* fastpath.records.Admission; `until` is of CLOCK_MONOTONIC, in ns */
struct admission {
	__u64 until;
	__u32 label;
	__u32 routed;
	__u32 next;  /* counts on; whose turn it is, modulo */
	__u32 turns;
	__u32 paths[MAX_TURNS];
	__u32 length; /* of the head, */
	__u32 sum;    /* and the one's complement sum of its 16-bit words in memory, with a zero behind an odd one */
	__u8 head[ADMISSION_MOST + 4];
};

/* The number of a record of no use now, and since when, in ticks. */
struct resting {
	__u32 number;
	__u32 since;
};

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
	__u32 record; /* its number in l7lb_splices */
	__u32 generation;
	__u32 cause;
};
