// L7LB on bmv2: forwards the packets of spliced connections, and punts all else (docs/fastpath.md, "On a switch").
//
// The pipeline of tofino/l7lb.p4, of which this is the other shell:
//
//   parser --> Decide  reads the packet --> Act  writes it, checksums included --> digest `ended_t` --> deparser

#include <core.p4>
#include <v1model.p4>

#include "headers.p4"
#include "v1model/sizes.p4"
#include "types.p4"
#include "v1model/account.p4"
#include "v1model/deparser.p4"
#include "v1model/hashes.p4"
#include "v1model/parser.p4"
#include "v1model/translate.p4"
#include "pipeline/act.p4"
#include "pipeline/decide.p4"

// Corrupt packets are not looked for: they stay what they are.
control VerifyChecksums(inout headers_t hdr, inout metadata_t meta) {
    apply {}
}

control IngressProcessing(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t standard_metadata) {
    Decide() decide;
    Act() act;

    apply {
        bit<3> drop = 0;
        bit<3> digest_type = 0;

        // A packet that gets no port would leave by port 0. So it is dropped unless it gets one, whatever `drop` says.
        mark_to_drop(standard_metadata);
        decide.apply(hdr, meta, standard_metadata.ingress_port, standard_metadata.parser_error == error.NoError);
        act.apply(hdr, meta, standard_metadata.egress_spec, drop, digest_type);

        if (digest_type == DIGEST_ENDED) {
            digest<ended_t>(1, {
                hdr.ipv4.source, hdr.tcp.source_port, hdr.ipv4.destination, hdr.tcp.destination_port, hdr.tcp.flags
            });
        }
    }
}

// Every packet leaves as it comes from there.
control EgressProcessing(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t standard_metadata) {
    apply {}
}

V1Switch(
    IngressParser(),
    VerifyChecksums(),
    IngressProcessing(),
    EgressProcessing(),
    ComputeChecksums(),
    IngressDeparser()) main;
