// Checksums by RFC 1624, equation 3: what arrived corrupt leaves corrupt.
//
// Hashed by csum16, fields give the complement of their sum. So with the old fields a checksum gives what is left of it
// without them, its residual; and with the new ones that gives the new checksum.

#ifndef L7LB_CHECKSUMS_P4
#define L7LB_CHECKSUMS_P4

#include "types.p4"

// The edges of SACK blocks. One that is not there is zero, which adds nothing to a sum.
struct sack_edges_t {
    bit<64> block_1;
    bit<64> block_2;
    bit<64> block_3;
    bit<64> block_4;
}

control SackEdges(in headers_t hdr, out sack_edges_t edges) {
    apply {
        edges = {0, 0, 0, 0};
        if (hdr.sack_1.isValid()) {
            edges.block_1 = hdr.sack_1.left_edge ++ hdr.sack_1.right_edge;
        }
        if (hdr.sack_2.isValid()) {
            edges.block_2 = hdr.sack_2.left_edge ++ hdr.sack_2.right_edge;
        }
        if (hdr.sack_3.isValid()) {
            edges.block_3 = hdr.sack_3.left_edge ++ hdr.sack_3.right_edge;
        }
        if (hdr.sack_4.isValid()) {
            edges.block_4 = hdr.sack_4.left_edge ++ hdr.sack_4.right_edge;
        }
    }
}

// Takes the fields that a translation changes out of checksums, and into residuals.
control Sum(in headers_t hdr, inout bit<16> of_ipv4, inout bit<16> of_tcp) {
    SackEdges() sack_edges;
    sack_edges_t edges;

    apply {
        sack_edges.apply(hdr, edges);
        hash(
            of_ipv4, HashAlgorithm.csum16, 16w0,
            {hdr.ipv4.ttl, hdr.ipv4.protocol, hdr.ipv4.source, hdr.ipv4.destination, of_ipv4}, 17w0x10000);
        hash(
            of_tcp, HashAlgorithm.csum16, 16w0,
            {
                hdr.ipv4.source, hdr.ipv4.destination,
                hdr.tcp.source_port, hdr.tcp.destination_port, hdr.tcp.sequence, hdr.tcp.acknowledgment,
                edges.block_1, edges.block_2, edges.block_3, edges.block_4,
                of_tcp
            },
            17w0x10000);
    }
}

#endif
