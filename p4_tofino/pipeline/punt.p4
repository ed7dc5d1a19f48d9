// Frames to the slow path, and those that it has sent out of a port as they are.

#ifndef L7LB_PUNT_P4
#define L7LB_PUNT_P4

#include "types.p4"

// The CPU header takes the place of the destination address.
control Punt(inout headers_t hdr, in metadata_t meta, in verdict_t reason) {
    apply {
        hdr.ethernet.destination = CPU_LEAD ++ reason ++ 8w0 ++ meta.port ++ CPU_MARKER;
    }
}

// The slow path has put the receiver's address where the sender's belongs: the CPU header becomes the sender's.
control Emit(inout headers_t hdr, in metadata_t meta, out egress_port_t egress_port) {
    apply {
        mac_address_t sender = hdr.ethernet.destination;
        hdr.ethernet.destination = hdr.ethernet.source;
        hdr.ethernet.source = sender;
        egress_port = meta.port[8:0];
    }
}

#endif
