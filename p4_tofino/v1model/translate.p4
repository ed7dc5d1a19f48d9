// What happens to a packet that is translated and sent.

#ifndef L7LB_TRANSLATE_P4
#define L7LB_TRANSLATE_P4

#include "types.p4"
#include "pipeline/rewrite.p4"
#include "v1model/account.p4"
#include "v1model/checksums.p4"

control Translate(inout headers_t hdr, inout metadata_t meta) {
    Rewrite() rewrite;
    Sum() sum;
    Account() account;

    apply {
        meta.ipv4_residual = hdr.ipv4.checksum;
        meta.tcp_residual = hdr.tcp.checksum;
        sum.apply(hdr, meta.ipv4_residual, meta.tcp_residual);
        rewrite.apply(hdr, meta);
        sum.apply(hdr, meta.ipv4_residual, meta.tcp_residual);
        hdr.ipv4.checksum = meta.ipv4_residual;
        hdr.tcp.checksum = meta.tcp_residual;
        account.apply(meta);
    }
}

#endif
