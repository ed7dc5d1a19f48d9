// Which segments are ours to look at: those for a listener and those from a server.

#ifndef L7LB_CLASSIFY_P4
#define L7LB_CLASSIFY_P4

#include "types.p4"

// Needs a whole TCP header.
control Classify(in headers_t hdr, inout metadata_t meta) {
    action malformed() {
        meta.segment = SEGMENT_MALFORMED;
    }

    action empty() {
        meta.segment = SEGMENT_EMPTY;
    }

    action data() {
        meta.segment = SEGMENT_DATA;
    }

    // The headers take 20 + 4 * data offset bytes of the total length.
    table segments {
        key = {
            hdr.tcp.data_offset : ternary;
            hdr.ipv4.total_length : range;
        }
        actions = {
            malformed;
            empty;
            data;
        }
        const entries = {
            (0 &&& 0xC, _) : malformed();
            (4, _) : malformed();
            (5, 0..39) : malformed();
            (5, 40..40) : empty();
            (6, 0..43) : malformed();
            (6, 44..44) : empty();
            (7, 0..47) : malformed();
            (7, 48..48) : empty();
            (8, 0..51) : malformed();
            (8, 52..52) : empty();
            (9, 0..55) : malformed();
            (9, 56..56) : empty();
            (10, 0..59) : malformed();
            (10, 60..60) : empty();
            (11, 0..63) : malformed();
            (11, 64..64) : empty();
            (12, 0..67) : malformed();
            (12, 68..68) : empty();
            (13, 0..71) : malformed();
            (13, 72..72) : empty();
            (14, 0..75) : malformed();
            (14, 76..76) : empty();
            (15, 0..79) : malformed();
            (15, 80..80) : empty();
        }
        const default_action = data();
        size = 32;
    }

    action listener(group_t group) {
        meta.to_listener = 1;
        meta.listener_group = group;
    }

    table vips {
        key = {
            hdr.ipv4.destination : exact @name("address");
            hdr.tcp.destination_port : exact @name("port");
        }
        actions = {
            listener;
            @defaultonly NoAction;
        }
        const default_action = NoAction();
        size = VIPS;
    }

    action server(group_t group) {
        meta.from_server = 1;
        meta.server_group = group;
    }

    table servers {
        key = {
            hdr.ipv4.source : exact @name("address");
            hdr.tcp.source_port : exact @name("port");
        }
        actions = {
            server;
            @defaultonly NoAction;
        }
        const default_action = NoAction();
        size = SERVERS;
    }

    apply {
        segments.apply();
        vips.apply();
        servers.apply();
    }
}

#endif
