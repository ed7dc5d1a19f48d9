// Which frames are for us: those for the Ethernet address of their port, and the slow path's own.

#ifndef L7LB_ADMIT_P4
#define L7LB_ADMIT_P4

#include "types.p4"

// Comes after Inspect, and overrules it.
control Admit(in headers_t hdr, inout metadata_t meta) {
    action known() {
        meta.known_port = 1;
    }

    table ports {
        key = {
            meta.port : exact @name("port");
        }
        actions = {
            known;
            @defaultonly NoAction;
        }
        const default_action = NoAction();
        size = PORTS;
    }

    action ours() {
        meta.our_address = 1;
    }

    table addresses {
        key = {
            meta.port : exact @name("port");
            hdr.ethernet.destination : exact @name("address");
        }
        actions = {
            ours;
            @defaultonly NoAction;
        }
        const default_action = NoAction();
        size = PORTS;
    }

    action decide(verdict_t verdict) {
        meta.verdict = verdict;
        meta.verdict_if_spliced = verdict;
        meta.holdable = 0;
    }

    // Steps 1 and 2 of docs/fastpath.md.
    table admissions {
        key = {
            meta.entry : ternary;
            meta.known_port : ternary;
            meta.our_address : ternary;
            meta.passes_as : ternary;
            hdr.ethernet.destination : ternary;
        }
        actions = {
            decide;
            NoAction;
        }
        const entries = {
            (ENTRY_ROUTE, _, _, _, _) : decide(FORWARD);
            (ENTRY_EMIT, 1, _, _, _) : decide(EMIT);
            (ENTRY_TRANSLATE, 1, _, _, _) : NoAction();
            (ENTRY_WIRE, _, 1, _, _) : NoAction();
            (ENTRY_WIRE, _, _, PUNT_ARP, BROADCAST) : decide(PUNT_ARP);
            (ENTRY_WIRE, _, _, _, _) : decide(DROP_ADDRESS);
        }
        const default_action = decide(DROP_FRAME);
        size = 8;
    }

    apply {
        if (hdr.ethernet.isValid()) {
            ports.apply();
            addresses.apply();
            admissions.apply();
        } else if (meta.entry == ENTRY_WIRE) {
            decide(DROP_ADDRESS);
        } else {
            decide(DROP_FRAME);
        }
    }
}

#endif
