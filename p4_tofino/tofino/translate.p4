// What happens to a packet that is translated and sent; the deparser brings its checksums up to date.

#ifndef L7LB_TRANSLATE_P4
#define L7LB_TRANSLATE_P4

#include "types.p4"
#include "pipeline/rewrite.p4"
#include "tofino/account.p4"

control Translate(inout headers_t hdr, inout metadata_t meta) {
    Rewrite() rewrite;
    Account() account;

    apply {
        rewrite.apply(hdr, meta);
        account.apply(meta);
    }
}

#endif
