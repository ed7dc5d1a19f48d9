// What a packet's own headers decide: its verdict if a splice has it, and its verdict if none has.

#ifndef L7LB_INSPECT_P4
#define L7LB_INSPECT_P4

#include "types.p4"

control Inspect(in headers_t hdr, inout metadata_t meta) {
    action decide_finally(verdict_t verdict) {
        meta.verdict = verdict;
        meta.verdict_if_spliced = verdict;
    }

    action admit() {}

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
            decide_finally;
            admit;
        }
        const entries = {
            (ENTRY_ROUTE, _, _, _, _) : decide_finally(FORWARD);
            (ENTRY_EMIT, 1, _, _, _) : decide_finally(EMIT);
            (ENTRY_TRANSLATE, 1, _, _, _) : admit();
            (ENTRY_WIRE, _, 1, _, _) : admit();
            (ENTRY_WIRE, _, _, PUNT_ARP, BROADCAST) : decide_finally(PUNT_ARP);
            (ENTRY_WIRE, _, _, _, _) : decide_finally(DROP_ADDRESS);
        }
        const default_action = decide_finally(DROP_FRAME);
        size = 8;
    }

    action decide_spliced(verdict_t verdict, bit<1> holdable) {
        meta.verdict_if_spliced = verdict;
        meta.holdable = holdable;
    }

    // Step 5 of docs/fastpath.md.
    table if_spliced {
        key = {
            meta.segment : ternary;
            hdr.tcp.flags : ternary;
            meta.unknown_options : ternary;
            meta.entry : ternary;
            hdr.ipv4.ttl : ternary;
        }
        actions = {
            decide_spliced;
        }
        const entries = {
            (SEGMENT_MALFORMED, _, _, _, _) : decide_spliced(DROP_MALFORMED, 0);
            (_, TCP_SYN &&& TCP_SYN, _, _, _) : decide_spliced(PUNT_SYN, 0);
            (_, _, 1, _, _) : decide_spliced(PUNT_OPTIONS, 0);
            (SEGMENT_DATA, _, _, ENTRY_WIRE, 0 &&& 0xFE) : decide_spliced(DROP_TTL, 1);
            (_, _, _, _, 0 &&& 0xFE) : decide_spliced(DROP_TTL, 0);
            (SEGMENT_DATA, _, _, ENTRY_WIRE, _) : decide_spliced(FORWARD, 1);
        }
        const default_action = decide_spliced(FORWARD, 0);
        size = 8;
    }

    action decide(verdict_t verdict) {
        meta.verdict = verdict;
    }

    // Steps 6 and 8.
    table if_unmatched {
        key = {
            meta.to_listener : ternary;
            meta.segment : ternary;
            meta.entry : ternary;
            hdr.tcp.flags : ternary;
        }
        actions = {
            decide;
        }
        const entries = {
            (1, SEGMENT_MALFORMED, _, _) : decide(DROP_MALFORMED);
            (_, _, ENTRY_TRANSLATE, _) : decide(DROP_STALE);
            (1, _, _, TCP_SYN &&& (TCP_SYN | TCP_ACK)) : decide(PUNT_SYN);
        }
        const default_action = decide(PUNT_MISS);
        size = 4;
    }

    // Steps 3 and 4.
    table if_no_segment {
        key = {
            meta.entry : ternary;
            meta.passes_as : ternary;
        }
        actions = {
            decide;
        }
        const entries = {
            (ENTRY_TRANSLATE, _) : decide(DROP_STALE);
            (_, PUNT_ARP) : decide(PUNT_ARP);
            (_, PUNT_ICMP) : decide(PUNT_ICMP);
            (_, PUNT_FRAGMENT) : decide(PUNT_FRAGMENT);
            (_, PUNT_OPTIONS) : decide(PUNT_OPTIONS);
        }
        const default_action = decide(PUNT_MISS);
        size = 8;
    }

    apply {
        if (!hdr.ethernet.isValid()) {
            if (meta.entry == ENTRY_WIRE) {
                decide(DROP_ADDRESS);
            } else {
                decide(DROP_FRAME);
            }
        } else {
            switch (admissions.apply().action_run) {
                admit: {
                    if (meta.segment == NO_SEGMENT) {
                        if_no_segment.apply();
                    } else {
                        if_spliced.apply();
                        if_unmatched.apply();
                    }
                }
            }
        }
    }
}

#endif
