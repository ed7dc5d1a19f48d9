// Where a packet goes on the link, or through which tunnel.

#ifndef L7LB_NEXT_HOPS_P4
#define L7LB_NEXT_HOPS_P4

#include "types.p4"

control NextHops(inout headers_t hdr, in metadata_t meta, inout port_t egress_port) {
    action direct(port_t port, mac_address_t source, mac_address_t destination) {
        egress_port = port;
        hdr.ethernet.source = source;
        hdr.ethernet.destination = destination;
    }

    action vxlan(
            port_t port, mac_address_t source, mac_address_t destination,
            ipv4_address_t tunnel_source, ipv4_address_t tunnel_destination, bit<24> vni,
            mac_address_t inner_source, mac_address_t inner_destination) {
        direct(port, source, destination);

        hdr.outer_ipv4.setValid();
        hdr.outer_ipv4.version_ihl = 0x45;
        hdr.outer_ipv4.type_of_service = 0;
        hdr.outer_ipv4.total_length = meta.outer_ipv4_length;
        hdr.outer_ipv4.identification = 0;
        hdr.outer_ipv4.flags_offset = IPV4_DONT_FRAGMENT;
        hdr.outer_ipv4.ttl = 64;
        hdr.outer_ipv4.protocol = PROTOCOL_UDP;
        hdr.outer_ipv4.checksum = 0;
        hdr.outer_ipv4.source = tunnel_source;
        hdr.outer_ipv4.destination = tunnel_destination;

        hdr.outer_udp.setValid();
        hdr.outer_udp.source_port = meta.entropy | 0xC000;
        hdr.outer_udp.destination_port = VXLAN_PORT;
        hdr.outer_udp.length = meta.outer_udp_length;
        hdr.outer_udp.checksum = 0;

        hdr.vxlan.setValid();
        hdr.vxlan.flags = VXLAN_VNI_VALID;
        hdr.vxlan.reserved_1 = 0;
        hdr.vxlan.vni = vni;
        hdr.vxlan.reserved_2 = 0;

        hdr.inner_ethernet.setValid();
        hdr.inner_ethernet.source = inner_source;
        hdr.inner_ethernet.destination = inner_destination;
        hdr.inner_ethernet.ether_type = ETHERTYPE_IPV4;
    }

    table next_hops {
        key = {
            meta.next_hop : exact @name("next_hop");
        }
        actions = {
            direct;
            vxlan;
            @defaultonly NoAction;
        }
        const default_action = NoAction();
        size = NEXT_HOPS;
    }

    apply {
        next_hops.apply();
    }
}

#endif
