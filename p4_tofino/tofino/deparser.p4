// From headers to bytes, with checksums, and the report of a connection that ends.

#ifndef L7LB_DEPARSER_P4
#define L7LB_DEPARSER_P4

#include "types.p4"

control IngressDeparser(
        packet_out packet,
        inout headers_t hdr,
        in metadata_t meta,
        in ingress_intrinsic_metadata_for_deparser_t ig_dprsr_md) {
    Checksum() ipv4_checksum;
    Checksum() tcp_checksum;
    Checksum() outer_ipv4_checksum;
    Digest<ended_t>(DIGEST_ENDED) ended;

    apply {
        if (ig_dprsr_md.digest_type == DIGEST_ENDED) {
            ended.pack({
                hdr.ipv4.source, hdr.tcp.source_port, hdr.ipv4.destination, hdr.tcp.destination_port, hdr.tcp.flags
            });
        }

        // RFC 1624: what arrived corrupt leaves corrupt. SACK blocks that are not there contribute nothing.
        if (meta.update_checksums == 1) {
            hdr.ipv4.checksum = ipv4_checksum.update({
                hdr.ipv4.ttl, hdr.ipv4.protocol, hdr.ipv4.source, hdr.ipv4.destination, meta.ipv4_residual
            });
            hdr.tcp.checksum = tcp_checksum.update({
                hdr.ipv4.source, hdr.ipv4.destination,
                hdr.tcp.source_port, hdr.tcp.destination_port, hdr.tcp.sequence, hdr.tcp.acknowledgment,
                hdr.sack_4.left_edge, hdr.sack_4.right_edge, hdr.sack_3.left_edge, hdr.sack_3.right_edge,
                hdr.sack_2.left_edge, hdr.sack_2.right_edge, hdr.sack_1.left_edge, hdr.sack_1.right_edge,
                meta.tcp_residual
            });
        }
        if (hdr.outer_ipv4.isValid()) {
            hdr.outer_ipv4.checksum = outer_ipv4_checksum.update({
                hdr.outer_ipv4.version_ihl, hdr.outer_ipv4.type_of_service, hdr.outer_ipv4.total_length,
                hdr.outer_ipv4.identification, hdr.outer_ipv4.flags_offset,
                hdr.outer_ipv4.ttl, hdr.outer_ipv4.protocol,
                hdr.outer_ipv4.source, hdr.outer_ipv4.destination
            });
        }

        packet.emit(hdr);
    }
}

#endif
