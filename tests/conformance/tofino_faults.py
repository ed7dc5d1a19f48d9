"""Seeded faults in what is the TNA program's own, each with a vector that must find it."""

from __future__ import annotations

from tests.conformance.p4_faults import ACK, Fault

FAULTS = (
    Fault(
        "addresses left in the residual of TCP",
        "pipeline/states.p4",
        "RESIDUAL(tcp_checksum.subtract({hdr.ipv4.source, hdr.ipv4.destination}));",
        "",
        ACK,
    ),
    Fault(
        "SACK block 4 left in the residual",
        "pipeline/states.p4",
        "RESIDUAL(tcp_checksum.subtract({hdr.sack_4.left_edge, hdr.sack_4.right_edge}));",
        "",
        "to server: SACK, 4 blocks",
    ),
    Fault(
        "no residual behind timestamps",
        "pipeline/states.p4",
        "packet.extract(hdr.timestamps);\n        RESIDUAL(tcp_checksum.subtract_all_and_deposit(meta.tcp_residual));",
        "packet.extract(hdr.timestamps);",
        "to server: timestamps at offset 2",
    ),
    Fault(
        "ACK number left out of the checksum",
        "tofino/deparser.p4",
        "hdr.tcp.sequence, hdr.tcp.acknowledgment,",
        "hdr.tcp.sequence,",
        ACK,
    ),
    Fault(
        "first SACK block left out of the checksum",
        "tofino/deparser.p4",
        "hdr.sack_1.left_edge, hdr.sack_1.right_edge,",
        "",
        "to server: SACK, 1 blocks",
    ),
    Fault(
        "residual of IPv4 left out",
        "tofino/deparser.p4",
        "hdr.ipv4.ttl, hdr.ipv4.protocol, hdr.ipv4.source, hdr.ipv4.destination, meta.ipv4_residual",
        "hdr.ipv4.ttl, hdr.ipv4.protocol, hdr.ipv4.source, hdr.ipv4.destination",
        ACK,
    ),
    Fault(
        "TTL left out of the checksum",
        "tofino/deparser.p4",
        "hdr.ipv4.ttl, hdr.ipv4.protocol, hdr.ipv4.source, hdr.ipv4.destination, meta.ipv4_residual",
        "hdr.ipv4.source, hdr.ipv4.destination, meta.ipv4_residual",
        ACK,
    ),
    Fault(
        "outer addresses left out of the checksum",
        "tofino/deparser.p4",
        "hdr.outer_ipv4.source, hdr.outer_ipv4.destination",
        "hdr.outer_ipv4.source",
        "tunnel: a bare ACK",
    ),
    Fault(
        "digest with the addresses swapped",
        "tofino/deparser.p4",
        "hdr.ipv4.source, hdr.tcp.source_port, hdr.ipv4.destination, hdr.tcp.destination_port, hdr.tcp.flags",
        "hdr.ipv4.destination, hdr.tcp.source_port, hdr.ipv4.source, hdr.tcp.destination_port, hdr.tcp.flags",
        "switch closing: a reset",
    ),
    Fault(
        "hash in the wrong order",
        "tofino/hashes.p4",
        "{address, port, group}",
        "{port, address, group}",
        ACK,
    ),
    Fault(
        "counted for the other direction",
        "tofino/account.p4",
        "meta.direction[1:1]",
        "meta.direction[0:0]",
        ACK,
    ),
)
