// What is done to a frame about which all is decided: the only part that writes to it.
//
// Of the architecture: Translate (Rewrite with checksums, and the account of it) and Outcomes (counts the other packets).

#ifndef L7LB_ACT_P4
#define L7LB_ACT_P4

#include "types.p4"
#include "pipeline/next_hops.p4"

// A frame that gets no port, as one whose next hop is unknown, goes nowhere.
control Act(
        inout headers_t hdr, inout metadata_t meta,
        inout port_t egress_port, inout bit<3> drop, inout bit<3> digest_type) {
    NextHops() next_hops;
    Translate() translate;
    Outcomes() outcomes;

    action discard() {
        drop = 1;
    }

    // The CPU header takes the place of the destination address.
    action punt() {
        hdr.ethernet.destination = CPU_LEAD ++ meta.verdict ++ 8w0 ++ meta.port ++ CPU_MARKER;
        egress_port = CPU_PORT;
    }

    action hold() {
        hdr.ethernet.destination = CPU_LEAD ++ PUNT_PIVOT ++ 8w0 ++ meta.port ++ CPU_MARKER;
        egress_port = CPU_PORT;
    }

    // The slow path has put the receiver's address where the sender's belongs: the CPU header becomes the sender's.
    action emit_as_it_is() {
        mac_address_t sender = hdr.ethernet.destination;
        hdr.ethernet.destination = hdr.ethernet.source;
        hdr.ethernet.source = sender;
        egress_port = meta.port[8:0];
    }

    apply {
        if (meta.spliced == 1 && meta.held == 1) {
            hold();
            outcomes.apply(PUNT_PIVOT);
        } else if (meta.verdict == FORWARD && meta.next_hop != NO_NEXT_HOP) {
            next_hops.apply(hdr, meta, egress_port);
            if (meta.spliced == 1) {
                translate.apply(hdr, meta);
                if ((hdr.tcp.flags & (TCP_FIN | TCP_RST)) != 0) {
                    digest_type = DIGEST_ENDED;
                }
            }
        } else if (meta.verdict == EMIT) {
            emit_as_it_is();
        } else {
            outcomes.apply(meta.verdict);
            if (meta.verdict < 16) {
                punt();
            } else {
                discard();
            }
        }
    }
}

#endif
