// L7LB on Tofino: forwards the packets of spliced connections, and punts all else (docs/fastpath.md, "On a switch").
//
// Decide first, rewrite once: everything up to `Paths` only reads the packet, so that a punt leaves as it arrived.
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
#include "pipeline/classify.p4"
#include "pipeline/connections.p4"
#include "pipeline/inspect.p4"
#include "pipeline/next_hops.p4"
#include "pipeline/overrides.p4"
#include "pipeline/paths.p4"
#include "pipeline/ports.p4"
#include "pipeline/rewrite.p4"
#include "pipeline/routes.p4"
#include "pipeline/settle.p4"
#include "tofino/account.p4"
#include "tofino/deparser.p4"
#include "tofino/digest.p4"
#include "tofino/egress.p4"
#include "tofino/parser.p4"

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
    Ports() ports;
    Classify() classify;
    Overrides() overrides;
    ConnectionDigest() connection_digest;
    Routes() routes;
    Inspect() inspect;
    Connections() connections;
    SeenBit() seen_bit;
    Settle() settle;
    Paths() paths;
    NextHops() next_hops;
    Rewrite() rewrite;
    Account() account;
    Entropy() entropy;

    // By verdict: packets that are not translated or sent as they are.
    Counter<bit<64>, bit<8>>(64, CounterType_t.PACKETS) outcomes;

    action discard() {
        ig_dprsr_md.drop_ctl = 1;
    }

    // The CPU header takes the place of the destination address.
    action punt() {
        hdr.ethernet.destination = CPU_LEAD ++ meta.verdict ++ 8w0 ++ meta.port ++ CPU_MARKER;
        ig_tm_md.ucast_egress_port = CPU_PORT;
    }

    action hold() {
        hdr.ethernet.destination = CPU_LEAD ++ PUNT_PIVOT ++ 8w0 ++ meta.port ++ CPU_MARKER;
        ig_tm_md.ucast_egress_port = CPU_PORT;
    }

    action count_outcome() {
        outcomes.count(meta.verdict);
    }

    action count_hold() {
        outcomes.count(PUNT_PIVOT);
    }

    // The slow path has put the receiver's address where the sender's belongs: the CPU header becomes the sender's.
    action emit_as_it_is() {
        mac_address_t sender = hdr.ethernet.destination;
        hdr.ethernet.destination = hdr.ethernet.source;
        hdr.ethernet.source = sender;
        ig_tm_md.ucast_egress_port = meta.port[8:0];
    }

    apply {
        ig_tm_md.bypass_egress = 1;

        if (hdr.ethernet.isValid()) {
            ports.apply(hdr, meta, ig_intr_md.ingress_port);
        }
        // An error means that a header was cut short: what was parsed before it is there.
        if (hdr.tcp.isValid() && ig_prsr_md.parser_err == 0) {
            classify.apply(hdr, meta);
            overrides.apply(hdr, meta);
        } else if (hdr.ipv4.isValid()) {
            meta.becomes.destination_address = hdr.ipv4.destination;
        }

        if (hdr.ipv4.isValid()) {
            routes.apply(hdr, meta);
            entropy.apply(hdr, meta);
        }
        if (meta.segment != NO_SEGMENT) {
            connection_digest.apply(hdr, meta);
        }
        inspect.apply(hdr, meta);

        connections.apply(meta);
        seen_bit.apply(meta);
        settle.apply(meta);
        paths.apply(hdr, meta);

        if (meta.spliced == 1 && meta.held == 1) {
            hold();
            count_hold();
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
            emit_as_it_is();
        } else {
            count_outcome();
            if (meta.verdict < 16) {
                punt();
            } else {
                discard();
            }
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
