// What a record decides of a segment beside its translation.

#ifndef L7LB_SETTLE_P4
#define L7LB_SETTLE_P4

#include "types.p4"

// Comes before Paths, which may yet find that the record is not the segment's. Then a deparser computes the checksums of
// what they were computed of before, and at most 0xFFFF turns into 0x0000, its other form.
control Settle(inout metadata_t meta) {
    apply {
        if (meta.direction == TO_SERVER && meta.pivot_and_path[PATH_BITS:PATH_BITS] == 1 && meta.holdable == 1) {
            meta.held = 1;
        } else if (meta.recorded == 1 && meta.verdict_if_spliced == FORWARD) {
            meta.update_checksums = 1;
        }
    }
}

#endif
