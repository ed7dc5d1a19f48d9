// Every size of the program. Each can be given on the compiler's command line instead: -D CONNECTIONS=65536. What a
// switch in software has of its own is in v1model/sizes.p4.
//
// What a size costs: an SRAM block holds 1024 lines of 128 bits. An entry of an exact table takes, of such a line, its
// key without the bits that its position implies (10, and 2 more where each way is a multiple of 4 blocks), 4 bits of
// version, 1 that tells hit from gateway or the action, and the action data that fit beside it. More action data is in
// blocks of its own, a power of two bytes an entry. Tofino 1 has 12 stages of 80 blocks, Tofino 2 has 20.
//
//   record     digest 32 - 12, version 4, action 1, pivot 1, path 15: 41 bits, 3 a line    342 blocks for 1,048,576
//              delta 32: 4 a line                                                          256
//                                                                                          598, 9.3 bytes a record
//   override   key 96 - 10, version 4, action 1, delta 32: 1 a line; the rest, 64: 2       1.5 blocks for 1024 entries
//              a line; and two entries a connection                                        48 bytes a connection
//   path       key 63 - 10, version 4: 2 a line; server or VIP, next hop: 2 a line;        2 blocks for 1024 paths
//              both directions
//   traffic    64 bits each of packets and bytes: 1 a line, both directions                2 blocks for 1024 paths
//   seen       1 bit a record                                                              8 blocks for 1,048,576
//
// So SNAT costs 5 times as much a connection as transparent mode. Timestamps would add a delta of 32 bits to the
// record's own: 2 a line, another 256 blocks for 1,048,576. Idle bits of the table itself instead of `seen` would take
// 512 of Tofino 1's 576 map RAMs. README.md has what the compiler made of this.

#ifndef L7LB_SIZES_P4
#define L7LB_SIZES_P4

// Spliced connections, one record each. Left to itself the compiler rounds the table up to 10 bytes a record: the ways
// that it chooses to fill a stage leave one of them a single block, and then three records do not fit a line. So each
// stage has 44 blocks of records in six ways (8, 8, 8, 8, 8, 4) and 33 of deltas; all together have a few more places
// than there are records, for the hash tables' sake.
#ifndef CONNECTIONS
#if __TARGET_TOFINO__ == 2
#define CONNECTIONS 2097152
#define CONNECTIONS_PLACEMENT \
    @pack(3) \
    @stage(2, 135168) @stage(3, 135168) @stage(4, 135168) @stage(5, 135168) \
    @stage(6, 135168) @stage(7, 135168) @stage(8, 135168) @stage(9, 135168) \
    @stage(10, 135168) @stage(11, 135168) @stage(12, 135168) @stage(13, 135168) \
    @stage(14, 135168) @stage(15, 135168) @stage(16, 135168) @stage(17, 110592)
#else
#define CONNECTIONS 1048576
#define CONNECTIONS_PLACEMENT \
    @pack(3) \
    @stage(2, 135168) @stage(3, 135168) @stage(4, 135168) @stage(5, 135168) \
    @stage(6, 135168) @stage(7, 135168) @stage(8, 135168) @stage(9, 110592)
#endif
#endif
#ifndef CONNECTIONS_PLACEMENT
#define CONNECTIONS_PLACEMENT
#endif

// A property of the tables of records, where the target notices by itself that an entry is idle.
#ifndef AGEING
#define AGEING
#endif

// Bits of a connection's digest, the whole key of its record. Of n connections about n^2 / 2^(DIGEST_BITS + 1) share
// theirs with an earlier one and need an override: 128 of a million at 32 bits.
#ifndef DIGEST_BITS
#define DIGEST_BITS 32
#endif

// Entries for SNAT connections and for those whose digest is taken: two for each connection.
#ifndef OVERRIDES
#define OVERRIDES 4096
#endif

// (VIP, server) pairs, and the bits of their number in a record.
#ifndef PATH_BITS
#define PATH_BITS 15
#endif
#ifndef PATHS
#define PATHS 8192
#endif

#ifndef VIPS
#define VIPS 2048
#endif

#ifndef SERVERS
#define SERVERS 8192
#endif

#ifndef ROUTES
#define ROUTES 4096
#endif

#ifndef NEXT_HOPS
#define NEXT_HOPS 4096
#endif

// Ports, and the Ethernet address of each.
#ifndef PORTS
#define PORTS 512
#endif

// log2 of the bits that show which records carried packets; not more than the digest has.
#ifndef SEEN_LOG2
#if DIGEST_BITS < 20
#define SEEN_LOG2 DIGEST_BITS
#else
#define SEEN_LOG2 20
#endif
#endif

// The port to the slow path: the first Ethernet CPU port of the chip.
#ifndef CPU_PORT
#if __TARGET_TOFINO__ == 2
#define CPU_PORT 2
#else
#define CPU_PORT 64
#endif
#endif

#endif
