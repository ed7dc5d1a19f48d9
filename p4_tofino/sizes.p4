// Every size of the program. Each can be given on the compiler's command line instead: -D CONNECTIONS=65536.
//
// What a size costs: an SRAM block holds 1024 lines of 128 bits. An entry of an exact table takes, of such a line, its
// key without the bits that its position implies (10 at least), 4 bits of version and the action data that fit beside
// it; more action data is in blocks of its own, rounded up to a power of two bytes. Tofino 1 has 12 stages of 80
// blocks, Tofino 2 has 20.
//
//   record     digest 32 - 10, version 4, pivot 1, path 15: 42 bits, 3 a line      342 blocks for 1,048,576
//              delta 32: 4 a line                                                  256
//                                                                                  598, 9.3 bytes a record
//   override   key 96 - 10, version 4, action 1: 1 a line; data 96: 1 a line       2 blocks for 1024 entries,
//              and two entries a connection                                        64 bytes a connection
//   path       key 63 - 10, version 4, next hop 16 (or none): 1 a line (or 2)      3.5 blocks for 1024 of them,
//              address and port 48: 2 a line; both directions                      56 bytes
//   counter    64 bits each of packets and bytes: 1 a line, two directions         2 blocks for 1024 paths
//   seen       1 bit a record                                                      8 blocks for 1,048,576
//
// SNAT for every connection therefore costs 7 times as much as transparent mode. Timestamps would add a delta of
// 32 bits to the record's 32: 2 a line, another 256 blocks for 1,048,576. Idle bits of the table itself instead of
// `seen` would take 512 of Tofino 1's 576 map RAMs. README.md has what the compiler made of this.

#ifndef L7LB_SIZES_P4
#define L7LB_SIZES_P4

// Spliced connections, one record each.
#ifndef CONNECTIONS
#if __TARGET_TOFINO__ == 2
#define CONNECTIONS 2097152
#else
#define CONNECTIONS 1048576
#endif
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

// (VIP, server) pairs; at most 32768, the 15 bits of a path.
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
