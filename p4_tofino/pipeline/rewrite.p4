// The translation itself (fastpath/rewrite.py is the reference), but for the checksums.

#ifndef L7LB_REWRITE_P4
#define L7LB_REWRITE_P4

#include "types.p4"

control Rewrite(inout headers_t hdr, in metadata_t meta) {
    action readdress() {
        hdr.ipv4.ttl = hdr.ipv4.ttl - 1;
        hdr.ipv4.source = meta.becomes.source_address;
        hdr.ipv4.destination = meta.becomes.destination_address;
        hdr.tcp.source_port = meta.becomes.source_port;
        hdr.tcp.destination_port = meta.becomes.destination_port;
    }

    action shift_1() {
        hdr.sack_1.left_edge = hdr.sack_1.left_edge - meta.delta;
        hdr.sack_1.right_edge = hdr.sack_1.right_edge - meta.delta;
    }

    action shift_2() {
        shift_1();
        hdr.sack_2.left_edge = hdr.sack_2.left_edge - meta.delta;
        hdr.sack_2.right_edge = hdr.sack_2.right_edge - meta.delta;
    }

    action shift_3() {
        shift_2();
        hdr.sack_3.left_edge = hdr.sack_3.left_edge - meta.delta;
        hdr.sack_3.right_edge = hdr.sack_3.right_edge - meta.delta;
    }

    action shift_4() {
        shift_3();
        hdr.sack_4.left_edge = hdr.sack_4.left_edge - meta.delta;
        hdr.sack_4.right_edge = hdr.sack_4.right_edge - meta.delta;
    }

    table sack_blocks {
        key = {
            hdr.sack_1.isValid() : exact;
            hdr.sack_2.isValid() : exact;
            hdr.sack_3.isValid() : exact;
            hdr.sack_4.isValid() : exact;
        }
        actions = {
            shift_1;
            shift_2;
            shift_3;
            shift_4;
            NoAction;
        }
        const entries = {
            (true, false, false, false) : shift_1();
            (true, true, false, false) : shift_2();
            (true, true, true, false) : shift_3();
            (true, true, true, true) : shift_4();
        }
        const default_action = NoAction();
        size = 4;
    }

    apply {
        readdress();
        if (meta.direction == TO_CLIENT) {
            hdr.tcp.sequence = hdr.tcp.sequence + meta.delta;
        } else {
            if ((hdr.tcp.flags & TCP_ACK) != 0) {
                hdr.tcp.acknowledgment = hdr.tcp.acknowledgment - meta.delta;
            }
            sack_blocks.apply();
        }
    }
}

#endif
