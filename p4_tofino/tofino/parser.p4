// From bytes to headers; residual checksums on the way.

#ifndef L7LB_PARSER_P4
#define L7LB_PARSER_P4

#include "types.p4"

#define INGRESS_PORT ig_intr_md.ingress_port
#define RESIDUAL(statement) statement

parser IngressParser(
        packet_in packet,
        out headers_t hdr,
        out metadata_t meta,
        out ingress_intrinsic_metadata_t ig_intr_md) {
    Checksum() ipv4_checksum;
    Checksum() tcp_checksum;

    state start {
        packet.extract(ig_intr_md);
        packet.advance(PORT_METADATA_SIZE);
        transition frame;
    }

    #include "pipeline/states.p4"
}

#endif
