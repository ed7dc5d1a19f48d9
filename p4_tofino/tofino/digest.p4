// What is hashed: a segment's connection, the same in both directions, and a packet's flow for tunnels.

#ifndef L7LB_DIGEST_P4
#define L7LB_DIGEST_P4

#include "types.p4"

// Needs a whole TCP header. An override knows the direction, and the client, better than the packet does.
control ConnectionDigest(in headers_t hdr, inout metadata_t meta) {
    Hash<digest_t>(HashAlgorithm_t.CRC32) from_client;
    Hash<digest_t>(HashAlgorithm_t.CRC32) from_server;

    apply {
        if (meta.direction == TO_SERVER || (meta.direction == UNDIRECTED && meta.to_listener == 1)) {
            meta.direction = TO_SERVER;
            meta.digest = from_client.get({hdr.ipv4.source, hdr.tcp.source_port, meta.listener_group});
        } else if (meta.direction == TO_CLIENT || meta.from_server == 1) {
            meta.direction = TO_CLIENT;
            meta.digest = from_server.get({
                meta.becomes.destination_address, meta.becomes.destination_port, meta.server_group
            });
        }
    }
}

// Needs an IPv4 header.
control Entropy(in headers_t hdr, inout metadata_t meta) {
    Hash<bit<16>>(HashAlgorithm_t.CRC16) of_segment;
    Hash<bit<16>>(HashAlgorithm_t.CRC16) of_packet;

    apply {
        if (meta.segment != NO_SEGMENT) {
            meta.entropy = of_segment.get({
                hdr.ipv4.source, hdr.ipv4.destination, hdr.tcp.source_port, hdr.tcp.destination_port
            });
        } else {
            meta.entropy = of_packet.get({hdr.ipv4.source, hdr.ipv4.destination});
        }
    }
}

#endif
