// The hashes of pipeline/digest.p4.

#ifndef L7LB_HASHES_P4
#define L7LB_HASHES_P4

#include "types.p4"

control ConnectionHash(in ipv4_address_t address, in tcp_port_t port, in group_t group, out digest_t result) {
    Hash<digest_t>(HashAlgorithm_t.CRC32) crc;

    apply {
        result = crc.get({address, port, group});
    }
}

control SegmentHash(in headers_t hdr, out bit<16> result) {
    Hash<bit<16>>(HashAlgorithm_t.CRC16) crc;

    apply {
        result = crc.get({hdr.ipv4.source, hdr.ipv4.destination, hdr.tcp.source_port, hdr.tcp.destination_port});
    }
}

control PacketHash(in headers_t hdr, out bit<16> result) {
    Hash<bit<16>>(HashAlgorithm_t.CRC16) crc;

    apply {
        result = crc.get({hdr.ipv4.source, hdr.ipv4.destination});
    }
}

#endif
