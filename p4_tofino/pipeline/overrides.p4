// Records by the whole 4-tuple, one of each direction: for SNAT, and for connections whose digest another one has.

#ifndef L7LB_OVERRIDES_P4
#define L7LB_OVERRIDES_P4

#include "types.p4"

// Needs a whole TCP header. Without a record the segment becomes what it is.
control Overrides(in headers_t hdr, inout metadata_t meta) {
    action unchanged() {
        meta.becomes.source_address = hdr.ipv4.source;
        meta.becomes.source_port = hdr.tcp.source_port;
        meta.becomes.destination_address = hdr.ipv4.destination;
        meta.becomes.destination_port = hdr.tcp.destination_port;
    }

    action to_server(bit<32> delta, bit<1> pivot, path_t path, ipv4_address_t source_address, tcp_port_t source_port) {
        meta.recorded = 1;
        meta.direction = TO_SERVER;
        meta.delta = delta;
        meta.pivot_and_path = pivot ++ path;
        meta.becomes.source_address = source_address;
        meta.becomes.source_port = source_port;
        meta.becomes.destination_address = hdr.ipv4.destination;
        meta.becomes.destination_port = hdr.tcp.destination_port;
    }

    action to_client(bit<32> delta, path_t path, ipv4_address_t destination_address, tcp_port_t destination_port) {
        meta.recorded = 1;
        meta.direction = TO_CLIENT;
        meta.delta = delta;
        meta.pivot_and_path = 1w0 ++ path;
        meta.becomes.source_address = hdr.ipv4.source;
        meta.becomes.source_port = hdr.tcp.source_port;
        meta.becomes.destination_address = destination_address;
        meta.becomes.destination_port = destination_port;
    }

    table overrides {
        key = {
            hdr.ipv4.source : exact @name("source_address");
            hdr.tcp.source_port : exact @name("source_port");
            hdr.ipv4.destination : exact @name("destination_address");
            hdr.tcp.destination_port : exact @name("destination_port");
        }
        actions = {
            to_server;
            to_client;
            @defaultonly unchanged;
        }
        const default_action = unchanged();
        size = OVERRIDES;
        AGEING
    }

    apply {
        overrides.apply();
    }
}

#endif
