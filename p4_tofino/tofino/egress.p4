// Nothing: every packet goes around the egress pipeline.

#ifndef L7LB_EGRESS_P4
#define L7LB_EGRESS_P4

struct no_headers_t {}

struct no_metadata_t {}

parser EgressParser(
        packet_in packet,
        out no_headers_t hdr,
        out no_metadata_t meta,
        out egress_intrinsic_metadata_t eg_intr_md) {
    state start {
        packet.extract(eg_intr_md);
        transition accept;
    }
}

control Egress(
        inout no_headers_t hdr,
        inout no_metadata_t meta,
        in egress_intrinsic_metadata_t eg_intr_md,
        in egress_intrinsic_metadata_from_parser_t eg_prsr_md,
        inout egress_intrinsic_metadata_for_deparser_t eg_dprsr_md,
        inout egress_intrinsic_metadata_for_output_port_t eg_oport_md) {
    apply {}
}

control EgressDeparser(
        packet_out packet,
        inout no_headers_t hdr,
        in no_metadata_t meta,
        in egress_intrinsic_metadata_for_deparser_t eg_dprsr_md) {
    apply {}
}

#endif
