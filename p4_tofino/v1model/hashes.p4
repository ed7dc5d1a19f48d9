// The hashes of pipeline/digest.p4.

#ifndef L7LB_HASHES_P4
#define L7LB_HASHES_P4

#include "types.p4"

control ConnectionHash(in ipv4_address_t address, in tcp_port_t port, in group_t group, out digest_t result) {
    apply {
        hash(result, HashAlgorithm.crc32, (digest_t) 0, {address, port, group}, (bit<(DIGEST_BITS + 1)>) 1 << DIGEST_BITS);
    }
}

control SegmentHash(in headers_t hdr, out bit<16> result) {
    apply {
        hash(
            result, HashAlgorithm.crc16, 16w0,
            {hdr.ipv4.source, hdr.ipv4.destination, hdr.tcp.source_port, hdr.tcp.destination_port}, 17w0x10000);
    }
}

control PacketHash(in headers_t hdr, out bit<16> result) {
    apply {
        hash(result, HashAlgorithm.crc16, 16w0, {hdr.ipv4.source, hdr.ipv4.destination}, 17w0x10000);
    }
}

#endif
