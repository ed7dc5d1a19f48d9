// L7LB on Tofino: forwards the packets of spliced connections, and punts all else (docs/fastpath.md, "On a switch").
//
// Decide first, rewrite once: everything up to `Paths` (pipeline/decide.p4) only reads the packet, so that a punt leaves
// as it arrived; the last stage (pipeline/act.p4) writes.
//
//   stage                                                                                  first
//            +-----------------------------------------------------------------------+
//     0      | Ports  known, ours? | Classify  segments, vips, | Overrides  by the   |
//            |                     |           servers         |            4-tuple  |
//            +-----------------------------------------------------------------------+
//     1      | ConnectionDigest | Routes  by new    | Inspect  verdict if spliced,   |
//            | Entropy          |         address   |          verdict if not        |
//            +-----------------------------------------------------------------------+
//   2 .. 9   | Connections  digest -> delta, pivot, path                             |
//            +-----------------------------------------------------------------------+
//    10      | Paths  (path, VIP or server) -> server or VIP, | Settle | SeenBit     |
//            |        and the verdict                         |        |             |
//            +-----------------------------------------------------------------------+
//    11      | forward: NextHops, Rewrite, Account | hold | emit | punt | discard    |
//            +-----------------------------------------------------------------------+
//            deparser: checksums, digest `ended`; no egress                            last
//
// Stages are those of Tofino 1; on Tofino 2 Connections has more of them.

#include <core.p4>
#if __TARGET_TOFINO__ == 2
#include <t2na.p4>
#else
#include <tna.p4>
#endif

#include "headers.p4"
#include "sizes.p4"
#include "types.p4"
#include "tofino/account.p4"
#include "tofino/deparser.p4"
#include "tofino/egress.p4"
#include "tofino/hashes.p4"
#include "tofino/parser.p4"
#include "tofino/translate.p4"
#include "pipeline/act.p4"
#include "pipeline/decide.p4"

// A container of its own, lest a record hold more bits than those of the field.
@pa_container_size("ingress", "meta.pivot_and_path", 16)
@pa_solitary("ingress", "meta.pivot_and_path")
control Ingress(
        inout headers_t hdr,
        inout metadata_t meta,
        in ingress_intrinsic_metadata_t ig_intr_md,
        in ingress_intrinsic_metadata_from_parser_t ig_prsr_md,
        inout ingress_intrinsic_metadata_for_deparser_t ig_dprsr_md,
        inout ingress_intrinsic_metadata_for_tm_t ig_tm_md) {
    Decide() decide;
    SeenBit() seen_bit;
    Act() act;

    apply {
        ig_tm_md.bypass_egress = 1;

        decide.apply(hdr, meta, ig_intr_md.ingress_port, ig_prsr_md.parser_err == 0);
        seen_bit.apply(meta);
        act.apply(hdr, meta, ig_tm_md.ucast_egress_port, ig_dprsr_md.drop_ctl, ig_dprsr_md.digest_type);
    }
}

Pipeline(
    IngressParser(),
    Ingress(),
    IngressDeparser(),
    EgressParser(),
    Egress(),
    EgressDeparser()) pipe;

Switch(pipe) main;
