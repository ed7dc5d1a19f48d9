// What the parts of the pipeline tell each other.

#ifndef L7LB_TYPES_P4
#define L7LB_TYPES_P4

#include "headers.p4"
#include "sizes.p4"

typedef bit<9> port_t;
typedef bit<16> cpu_port_field_t;
typedef bit<16> group_t;
typedef bit<PATH_BITS> path_t;
typedef bit<(PATH_BITS + 1)> pivot_and_path_t;
typedef bit<16> next_hop_t;
typedef bit<DIGEST_BITS> digest_t;

// No next hop; every other number is an entry of `next_hops`.
const next_hop_t NO_NEXT_HOP = 0;

// How a frame came in.
typedef bit<3> entry_t;
const entry_t ENTRY_BAD = 0; // from the slow path, but no CPU header that we know
const entry_t ENTRY_WIRE = 1;
const entry_t ENTRY_TRANSLATE = 2; // injected, as the three below
const entry_t ENTRY_EMIT = 3;
const entry_t ENTRY_ROUTE = 4;

// What becomes of a packet. Punts are numbered as fastpath.records.Reason and drops as 16 + fastpath.records.Drop,
// so that each is its own index of the counter `outcomes`. A packet that is to be forwarded counts there, too, if
// it has no next hop: hence its number.
typedef bit<8> verdict_t;
const verdict_t PUNT_SYN = 1;
const verdict_t PUNT_MISS = 2;
const verdict_t PUNT_PIVOT = 3;
const verdict_t PUNT_OPTIONS = 4;
const verdict_t PUNT_FRAGMENT = 5;
const verdict_t PUNT_ICMP = 7;
const verdict_t PUNT_ARP = 8;
const verdict_t DROP_TTL = 17;
const verdict_t DROP_MALFORMED = 18;
const verdict_t FORWARD = 19;
const verdict_t DROP_STALE = 20;
const verdict_t DROP_FRAME = 21;
const verdict_t DROP_ADDRESS = 24;
const verdict_t EMIT = 32;

// Which way a segment goes through a splice.
typedef bit<2> direction_t;
const direction_t UNDIRECTED = 0;
const direction_t TO_SERVER = 1;
const direction_t TO_CLIENT = 2;

// What a TCP header and the total length say of a segment.
typedef bit<2> segment_t;
const segment_t NO_SEGMENT = 0; // no TCP, or no whole header of it
const segment_t SEGMENT_MALFORMED = 1; // header shorter than 20 bytes or longer than the packet
const segment_t SEGMENT_EMPTY = 2;
const segment_t SEGMENT_DATA = 3;

// The addresses and ports that a segment leaves with if it is translated.
struct becomes_t {
    ipv4_address_t source_address;
    ipv4_address_t destination_address;
    tcp_port_t source_port;
    tcp_port_t destination_port;
}

// The report of a translated segment with FIN or RST, as it leaves.
const bit<3> DIGEST_ENDED = 1;
struct ended_t {
    ipv4_address_t source_address;
    tcp_port_t source_port;
    ipv4_address_t destination_address;
    tcp_port_t destination_port;
    bit<8> flags;
}

struct metadata_t {
    // From the parser.
    entry_t entry;
    verdict_t passes_as; // why the slow path gets a packet that is no whole TCP segment; 0 is `miss`
    bit<1> unknown_options;

    // Of checksums: what is left of each without the fields that a translation changes.
    bit<16> ipv4_residual;
    bit<16> tcp_residual;

    // From classification.
    cpu_port_field_t port; // where the frame arrived or as if it had
    bit<1> known_port;
    bit<1> our_address;
    segment_t segment;
    bit<1> to_listener;
    bit<1> from_server;
    group_t listener_group;
    group_t server_group;

    // From the record, or from the packet until there is one.
    direction_t direction;
    digest_t digest;
    bit<1> recorded;
    pivot_and_path_t pivot_and_path; // in one field, so that they take no more than their bits of a record
    bit<32> delta; // D of the splice: our ISN toward the client - the server's ISN
    becomes_t becomes;
    next_hop_t next_hop;

    // Decisions.
    bit<1> spliced; // a record's path has confirmed the packet's addresses
    bit<1> holdable; // not for the server if the record has a pivot
    bit<1> held; // and it has
    bit<1> update_checksums; // for a deparser that does so
    verdict_t verdict_if_spliced;
    verdict_t verdict;

    // For tunnels, and for ageing without idle timeouts.
    bit<16> outer_ipv4_length;
    bit<16> outer_udp_length;
    bit<16> entropy;
    bit<32> seen_bit;
}

#endif
