"""Seeded faults in what is the v1model program's own, each with a vector that must find it."""

from __future__ import annotations

from tests.conformance.p4_faults import ACK, BACK, Fault

FAULTS = (
    Fault(
        "ACK number left out of the checksum",
        "v1model/checksums.p4",
        "hdr.tcp.sequence, hdr.tcp.acknowledgment,",
        "hdr.tcp.sequence,",
        ACK,
    ),
    Fault(
        "TTL left out of the checksum",
        "v1model/checksums.p4",
        "{hdr.ipv4.ttl, hdr.ipv4.protocol, ",
        "{",
        ACK,
    ),
    Fault(
        "source address left out of the pseudo-header",
        "v1model/checksums.p4",
        "                hdr.ipv4.source, hdr.ipv4.destination,\n",
        "                hdr.ipv4.destination,\n",
        BACK,
    ),
    Fault(
        "checksum of IPv4 computed anew",
        "v1model/translate.p4",
        "meta.ipv4_residual = hdr.ipv4.checksum;",
        "meta.ipv4_residual = 0;",
        ACK,
    ),
    Fault(
        "checksum of TCP computed anew",
        "v1model/translate.p4",
        "meta.tcp_residual = hdr.tcp.checksum;",
        "meta.tcp_residual = 0;",
        ACK,
    ),
    Fault(
        "SACK block 4 left out of the checksum",
        "v1model/checksums.p4",
        "edges.block_4 = hdr.sack_4.left_edge ++ hdr.sack_4.right_edge;",
        "",
        "to server: SACK, 4 blocks",
    ),
    Fault(
        "SACK block that is not there summed up",
        "v1model/checksums.p4",
        "if (hdr.sack_2.isValid())",
        "if (hdr.sack_1.isValid())",
        "to server: layout SACK 1, alone",
    ),
    Fault(
        "edges that are not there left undefined",
        "v1model/checksums.p4",
        "edges = {0, 0, 0, 0};",
        "",
        ACK,
    ),
    Fault(
        "outer addresses left out of the checksum",
        "v1model/deparser.p4",
        "hdr.outer_ipv4.source, hdr.outer_ipv4.destination",
        "hdr.outer_ipv4.source",
        "tunnel: a bare ACK",
    ),
    Fault(
        "digest with the addresses swapped",
        "v1model/l7lb.p4",
        "hdr.ipv4.source, hdr.tcp.source_port, hdr.ipv4.destination, hdr.tcp.destination_port, hdr.tcp.flags",
        "hdr.ipv4.destination, hdr.tcp.source_port, hdr.ipv4.source, hdr.tcp.destination_port, hdr.tcp.flags",
        "switch closing: a reset",
    ),
    Fault(
        "nothing reported",
        "v1model/l7lb.p4",
        "digest_type == DIGEST_ENDED",
        "false",
        "switch closing: a reset",
    ),
    Fault(
        "hash in the wrong order",
        "v1model/hashes.p4",
        "{address, port, group}",
        "{port, address, group}",
        ACK,
    ),
    Fault(
        "hash of 31 bits",
        "v1model/hashes.p4",
        "1 << DIGEST_BITS",
        "1 << (DIGEST_BITS - 1)",
        ACK,
    ),
    Fault(
        "counted for the other direction",
        "v1model/account.p4",
        "meta.direction[1:1]",
        "meta.direction[0:0]",
        ACK,
    ),
    Fault(
        "what has no port sent to port 0",
        "v1model/l7lb.p4",
        "mark_to_drop(standard_metadata);",
        "",
        "dropped ttl: 1 toward the server",
    ),
    Fault(
        "parser errors not looked at",
        "v1model/l7lb.p4",
        "standard_metadata.parser_error == error.NoError",
        "true",
        "cut short: within timestamps",
    ),
)
