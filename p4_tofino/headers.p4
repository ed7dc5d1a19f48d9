// The headers that the program reads or writes, in network byte order.

#ifndef L7LB_HEADERS_P4
#define L7LB_HEADERS_P4

typedef bit<48> mac_address_t;
typedef bit<32> ipv4_address_t;
typedef bit<16> tcp_port_t;

const bit<16> ETHERTYPE_IPV4 = 0x0800;
const bit<16> ETHERTYPE_ARP = 0x0806;
const mac_address_t BROADCAST = 0xFFFFFFFFFFFF;

// IEEE 802.3. Between slow path and switch the CPU header below stands in the place of the destination.
header ethernet_h {
    mac_address_t destination;
    mac_address_t source;
    bit<16> ether_type;
}

// What the slow path and the switch tell each other about a frame (docs/fastpath.md). `code` is a reason when the
// frame is punted and an action when it is injected; `port` is where it arrived or as if it had.
header cpu_h {
    bit<8> lead;
    bit<8> code;
    bit<8> flags;
    bit<16> port;
    bit<8> marker;
}

const bit<8> CPU_LEAD = 0x02;
const bit<8> CPU_MARKER = 0x4C;
const bit<8> CPU_TRANSLATE = 0;
const bit<8> CPU_EMIT = 1;
const bit<8> CPU_ROUTE = 2;

// RFC 791, without options.
header ipv4_h {
    bit<8> version_ihl;
    bit<8> type_of_service;
    bit<16> total_length;
    bit<16> identification;
    bit<16> flags_offset;
    bit<8> ttl;
    bit<8> protocol;
    bit<16> checksum;
    ipv4_address_t source;
    ipv4_address_t destination;
}

const bit<8> PROTOCOL_ICMP = 1;
const bit<8> PROTOCOL_TCP = 6;
const bit<8> PROTOCOL_UDP = 17;
const bit<16> IPV4_DONT_FRAGMENT = 0x4000;

// RFC 9293 section 3.1, without options.
header tcp_h {
    tcp_port_t source_port;
    tcp_port_t destination_port;
    bit<32> sequence;
    bit<32> acknowledgment;
    bit<4> data_offset;
    bit<4> reserved;
    bit<8> flags;
    bit<16> window;
    bit<16> checksum;
    bit<16> urgent_pointer;
}

const bit<8> TCP_FIN = 0x01;
const bit<8> TCP_SYN = 0x02;
const bit<8> TCP_RST = 0x04;
const bit<8> TCP_ACK = 0x10;

// Two no-operation options, then the kind and length of an option: how Linux begins each option that it aligns.
header option_lead_h {
    bit<32> value;
}

const bit<32> LEAD_TIMESTAMPS = 0x0101080A;
const bit<32> LEAD_SACK_1 = 0x0101050A;
const bit<32> LEAD_SACK_2 = 0x01010512;
const bit<32> LEAD_SACK_3 = 0x0101051A;
const bit<32> LEAD_SACK_4 = 0x01010522;

// RFC 7323 section 3.2, behind its kind and length.
header timestamps_h {
    bit<32> value;
    bit<32> echo_reply;
}

// One block of RFC 2018 section 3.
header sack_block_h {
    bit<32> left_edge;
    bit<32> right_edge;
}

// RFC 768.
header udp_h {
    bit<16> source_port;
    bit<16> destination_port;
    bit<16> length;
    bit<16> checksum;
}

const bit<16> VXLAN_PORT = 4789;

// RFC 7348 section 5.
header vxlan_h {
    bit<8> flags;
    bit<24> reserved_1;
    bit<24> vni;
    bit<8> reserved_2;
}

const bit<8> VXLAN_VNI_VALID = 0x08;

struct headers_t {
    ethernet_h ethernet;
    ipv4_h outer_ipv4;
    udp_h outer_udp;
    vxlan_h vxlan;
    ethernet_h inner_ethernet;
    ipv4_h ipv4;
    tcp_h tcp;
    option_lead_h first_lead;
    timestamps_h timestamps;
    option_lead_h second_lead;
    // Numbered from the last one, which every SACK option has.
    sack_block_h sack_4;
    sack_block_h sack_3;
    sack_block_h sack_2;
    sack_block_h sack_1;
}

#endif
