// From headers to bytes; the only checksum that is computed from nothing is a tunnel's.

#ifndef L7LB_DEPARSER_P4
#define L7LB_DEPARSER_P4

#include "types.p4"

control ComputeChecksums(inout headers_t hdr, inout metadata_t meta) {
    apply {
        update_checksum(
            hdr.outer_ipv4.isValid(),
            {
                hdr.outer_ipv4.version_ihl, hdr.outer_ipv4.type_of_service, hdr.outer_ipv4.total_length,
                hdr.outer_ipv4.identification, hdr.outer_ipv4.flags_offset,
                hdr.outer_ipv4.ttl, hdr.outer_ipv4.protocol,
                hdr.outer_ipv4.source, hdr.outer_ipv4.destination
            },
            hdr.outer_ipv4.checksum, HashAlgorithm.csum16);
    }
}

control IngressDeparser(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr);
    }
}

#endif
