// L7LB on Tofino: forwards the packets of spliced connections, and punts all else (docs/fastpath.md, "On a switch").
//
// Decide first, rewrite once: everything up to `Paths` only reads the packet, so that a punt leaves as it arrived.
//
//   stage                                                                               first
//            +--------------------------------------------------------------------+
//     0      | Classify   segments, vips, servers     | Overrides  whole 4-tuple   |
//            +--------------------------------------------------------------------+
//     1      | Digest | Routes by new destination | Inspect  verdict if spliced,   |
//            |        |                           |          verdict if not        |
//            +--------------------------------------------------------------------+
//   2 .. 9   | Connections  digest -> delta, pivot, path | Admit: for us? | SeenBit |
//            +--------------------------------------------------------------------+
//    10      | Paths  (path, VIP or server) -> server or VIP, and a verdict | Settle |
//            +--------------------------------------------------------------------+
//    11      | forward: NextHops, Rewrite, Account | punt | emit | drop            |
//            +--------------------------------------------------------------------+
//            deparser: checksums, digest `ended`; no egress                        last
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
#include "pipeline/admit.p4"
#include "pipeline/classify.p4"
#include "pipeline/connections.p4"
#include "pipeline/inspect.p4"
#include "pipeline/next_hops.p4"
#include "pipeline/overrides.p4"
#include "pipeline/paths.p4"
#include "pipeline/punt.p4"
#include "pipeline/rewrite.p4"
#include "pipeline/routes.p4"
#include "pipeline/settle.p4"
#include "tofino/account.p4"
#include "tofino/deparser.p4"
#include "tofino/digest.p4"
#include "tofino/egress.p4"
#include "tofino/parser.p4"

control Ingress(
        inout headers_t hdr,
        inout metadata_t meta,
        in ingress_intrinsic_metadata_t ig_intr_md,
        in ingress_intrinsic_metadata_from_parser_t ig_prsr_md,
        inout ingress_intrinsic_metadata_for_deparser_t ig_dprsr_md,
        inout ingress_intrinsic_metadata_for_tm_t ig_tm_md) {
    Classify() classify;
    Overrides() overrides;
    ConnectionDigest() connection_digest;
    Routes() routes;
    Inspect() inspect;
    Admit() admit;
    Connections() connections;
    SeenBit() seen_bit;
    Settle() settle;
    Paths() paths;
    NextHops() next_hops;
    Rewrite() rewrite;
    Account() account;
    Punt() punt;
    Emit() emit_as_it_is;
    Hash<bit<14>>(HashAlgorithm_t.CRC16) segment_entropy;
    Hash<bit<14>>(HashAlgorithm_t.CRC16) packet_entropy;

    // By verdict: packets that are not translated or sent as they are.
    Counter<bit<64>, bit<8>>(64, CounterType_t.PACKETS) outcomes;

    action discard() {
        ig_dprsr_md.drop_ctl = 1;
        outcomes.count(meta.verdict);
    }

    action to_cpu() {
        ig_tm_md.ucast_egress_port = CPU_PORT;
        outcomes.count(meta.verdict);
    }

    action hold() {
        ig_tm_md.ucast_egress_port = CPU_PORT;
        outcomes.count(PUNT_PIVOT);
    }

    apply {
        ig_tm_md.bypass_egress = 1;

        // An error means that a header was cut short: what was parsed before it is there.
        if (hdr.tcp.isValid() && ig_prsr_md.parser_err == 0) {
            classify.apply(hdr, meta);
            overrides.apply(hdr, meta);
        } else if (hdr.ipv4.isValid()) {
            meta.becomes.destination_address = hdr.ipv4.destination;
        }
        if (meta.entry == ENTRY_WIRE) {
            meta.port = (cpu_port_field_t) ig_intr_md.ingress_port;
        } else if (hdr.ethernet.isValid()) {
            meta.port = hdr.ethernet.destination[23:8];
        }

        if (meta.segment != NO_SEGMENT) {
            connection_digest.apply(hdr, meta);
            meta.entropy = (bit<16>) segment_entropy.get({
                hdr.ipv4.source, hdr.ipv4.destination, hdr.tcp.source_port, hdr.tcp.destination_port
            });
        } else if (hdr.ipv4.isValid()) {
            meta.entropy = (bit<16>) packet_entropy.get({hdr.ipv4.source, hdr.ipv4.destination});
        }
        if (hdr.ipv4.isValid()) {
            routes.apply(hdr, meta);
        }
        inspect.apply(hdr, meta);
        admit.apply(hdr, meta);

        connections.apply(meta);
        seen_bit.apply(meta);
        settle.apply(meta);
        paths.apply(hdr, meta);

        if (meta.spliced == 1 && meta.held == 1) {
            punt.apply(hdr, meta, PUNT_PIVOT);
            hold();
        } else if (meta.verdict == FORWARD && meta.next_hop != NO_NEXT_HOP) {
            next_hops.apply(hdr, meta, ig_tm_md.ucast_egress_port);
            if (meta.spliced == 1) {
                rewrite.apply(hdr, meta);
                account.apply(meta);
                if ((hdr.tcp.flags & (TCP_FIN | TCP_RST)) != 0) {
                    ig_dprsr_md.digest_type = DIGEST_ENDED;
                }
            }
        } else if (meta.verdict == EMIT) {
            emit_as_it_is.apply(hdr, meta, ig_tm_md.ucast_egress_port);
        } else if (meta.verdict < 16) {
            punt.apply(hdr, meta, meta.verdict);
            to_cpu();
        } else {
            discard();
        }
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
