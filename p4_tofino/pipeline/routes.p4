// The next hop of packets to clients and of those that the slow path routes; a path has its own, to its server.

#ifndef L7LB_ROUTES_P4
#define L7LB_ROUTES_P4

#include "types.p4"

// Needs an IPv4 header.
control Routes(in headers_t hdr, inout metadata_t meta) {
    action via(next_hop_t next_hop) {
        meta.next_hop = next_hop;
    }

    table routes {
        key = {
            meta.becomes.destination_address : lpm @name("address");
        }
        actions = {
            via;
            @defaultonly NoAction;
        }
        const default_action = NoAction();
        size = ROUTES;
    }

    // What a tunnel would say of the packet's length; behind its outer headers an Ethernet header comes first.
    action measure() {
        meta.outer_ipv4_length = hdr.ipv4.total_length + (20 + 8 + 8 + 14);
        meta.outer_udp_length = hdr.ipv4.total_length + (8 + 8 + 14);
    }

    apply {
        routes.apply();
        measure();
    }
}

#endif
