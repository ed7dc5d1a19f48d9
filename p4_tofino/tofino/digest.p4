// The digest of a segment's connection, the same in both directions, and entropy for tunnels.

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

#endif
