// What the slow path learns of the packets that it does not see.

#ifndef L7LB_ACCOUNT_P4
#define L7LB_ACCOUNT_P4

#include "types.p4"

// Of a packet that was translated and is sent, by path * 2 + direction: 0 to the server, 1 to the client.
control Account(in metadata_t meta) {
    counter(PATHS * 2, CounterType.packets_and_bytes) traffic;

    apply {
        traffic.count((bit<32>) (meta.pivot_and_path[PATH_BITS - 1:0] ++ meta.direction[1:1]));
    }
}

// Of a packet that was not: by verdict.
control Outcomes(in verdict_t verdict) {
    counter(64, CounterType.packets) outcomes;

    apply {
        outcomes.count((bit<32>) verdict);
    }
}

#endif
