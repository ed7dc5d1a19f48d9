// Records by the digest of client and group, one for both directions.

#ifndef L7LB_CONNECTIONS_P4
#define L7LB_CONNECTIONS_P4

#include "types.p4"

control Connections(inout metadata_t meta) {
    action spliced(bit<32> delta, bit<1> pivot, path_t path) {
        meta.recorded = 1;
        meta.delta = delta;
        meta.pivot_and_path = pivot ++ path;
    }

    CONNECTIONS_PLACEMENT
    table connections {
        key = {
            meta.digest : exact @name("digest");
        }
        actions = {
            spliced;
            @defaultonly NoAction;
        }
        const default_action = NoAction();
        size = CONNECTIONS;
        AGEING
    }

    apply {
        if (meta.recorded == 0 && meta.direction != UNDIRECTED) {
            connections.apply();
        }
    }
}

#endif
