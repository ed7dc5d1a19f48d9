// From bytes to headers.

#ifndef L7LB_PARSER_P4
#define L7LB_PARSER_P4

#include "types.p4"

#define INGRESS_PORT standard_metadata.ingress_port
#define RESIDUAL(statement)

parser IngressParser(
        packet_in packet,
        out headers_t hdr,
        inout metadata_t meta,
        inout standard_metadata_t standard_metadata) {
    state start {
        transition frame;
    }

    #include "pipeline/states.p4"
}

#endif
