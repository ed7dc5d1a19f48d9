// What a record's path, a (VIP, server) pair, makes of a segment; and whether the segment belongs to it at all.

#ifndef L7LB_PATHS_P4
#define L7LB_PATHS_P4

#include "types.p4"

control Paths(in headers_t hdr, inout metadata_t meta) {
    action to_server(ipv4_address_t address, tcp_port_t port, next_hop_t next_hop) {
        meta.spliced = 1;
        meta.verdict = meta.verdict_if_spliced;
        meta.becomes.destination_address = address;
        meta.becomes.destination_port = port;
        meta.next_hop = next_hop;
    }

    table paths_to_server {
        key = {
            meta.pivot_and_path[PATH_BITS - 1:0] : exact @name("path");
            hdr.ipv4.destination : exact @name("address");
            hdr.tcp.destination_port : exact @name("port");
        }
        actions = {
            to_server;
            @defaultonly NoAction;
        }
        const default_action = NoAction();
        size = PATHS;
    }

    action to_client(ipv4_address_t address, tcp_port_t port) {
        meta.spliced = 1;
        meta.verdict = meta.verdict_if_spliced;
        meta.becomes.source_address = address;
        meta.becomes.source_port = port;
    }

    table paths_to_client {
        key = {
            meta.pivot_and_path[PATH_BITS - 1:0] : exact @name("path");
            hdr.ipv4.source : exact @name("address");
            hdr.tcp.source_port : exact @name("port");
        }
        actions = {
            to_client;
            @defaultonly NoAction;
        }
        const default_action = NoAction();
        size = PATHS;
    }

    apply {
        if (meta.recorded == 1) {
            if (meta.direction == TO_SERVER) {
                paths_to_server.apply();
            } else {
                paths_to_client.apply();
            }
        }
    }
}

#endif
