// What is hashed: a segment's connection, the same in both directions, and a packet's flow for tunnels.
//
// Of the architecture: ConnectionHash (CRC-32), SegmentHash and PacketHash (any).

#ifndef L7LB_DIGEST_P4
#define L7LB_DIGEST_P4

#include "types.p4"

// Needs a whole TCP header. An override knows the direction, and the client, better than the packet does.
control ConnectionDigest(in headers_t hdr, inout metadata_t meta) {
    ConnectionHash() from_client;
    ConnectionHash() from_server;

    apply {
        if (meta.direction == TO_SERVER || (meta.direction == UNDIRECTED && meta.to_listener == 1)) {
            meta.direction = TO_SERVER;
            from_client.apply(hdr.ipv4.source, hdr.tcp.source_port, meta.listener_group, meta.digest);
        } else if (meta.direction == TO_CLIENT || meta.from_server == 1) {
            meta.direction = TO_CLIENT;
            from_server.apply(
                meta.becomes.destination_address, meta.becomes.destination_port, meta.server_group, meta.digest);
        }
    }
}

// Needs an IPv4 header.
control Entropy(in headers_t hdr, inout metadata_t meta) {
    SegmentHash() of_segment;
    PacketHash() of_packet;

    apply {
        if (meta.segment != NO_SEGMENT) {
            of_segment.apply(hdr, meta.entropy);
        } else {
            of_packet.apply(hdr, meta.entropy);
        }
    }
}

#endif
