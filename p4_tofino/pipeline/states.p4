// The states of the parser, from bytes to headers and to what the headers' layout says.
//
// Included in the body of the parser of each architecture, which has `packet`, `hdr` and `meta`, reads what comes before
// the frame in its `start`, and goes on to `frame`. It says what these are:
//
//   INGRESS_PORT          where the frame came in
//   RESIDUAL(statement)   the statement, where checksums are taken apart by the parser; nothing, where later

    state frame {
        meta.entry = ENTRY_BAD;
        meta.passes_as = 0;
        meta.unknown_options = 0;
        meta.ipv4_residual = 0;
        meta.tcp_residual = 0;
        meta.port = 0;
        meta.known_port = 0;
        meta.our_address = 0;
        meta.segment = NO_SEGMENT;
        meta.to_listener = 0;
        meta.from_server = 0;
        meta.listener_group = 0;
        meta.server_group = 0;
        meta.direction = UNDIRECTED;
        meta.digest = 0;
        meta.recorded = 0;
        meta.pivot_and_path = 0;
        meta.delta = 0;
        meta.next_hop = NO_NEXT_HOP;
        meta.spliced = 0;
        meta.holdable = 0;
        meta.held = 0;
        meta.update_checksums = 0;
        meta.verdict_if_spliced = 0;
        meta.verdict = 0;
        meta.entropy = 0;
        transition select(INGRESS_PORT) {
            CPU_PORT : from_cpu;
            default : from_wire;
        }
    }

    state from_wire {
        meta.entry = ENTRY_WIRE;
        transition ethernet;
    }

    state from_cpu {
        cpu_h cpu = packet.lookahead<cpu_h>();
        transition select(cpu.lead, cpu.code, cpu.marker) {
            (CPU_LEAD, CPU_TRANSLATE, CPU_MARKER) : translate;
            (CPU_LEAD, CPU_EMIT, CPU_MARKER) : emit_as_it_is;
            (CPU_LEAD, CPU_ROUTE, CPU_MARKER) : route;
            default : accept;
        }
    }

    state translate {
        meta.entry = ENTRY_TRANSLATE;
        transition ethernet;
    }

    state emit_as_it_is {
        meta.entry = ENTRY_EMIT;
        packet.extract(hdr.ethernet);
        transition accept;
    }

    // Nothing above the addresses is looked at.
    state route {
        meta.entry = ENTRY_ROUTE;
        packet.extract(hdr.ethernet);
        transition select(hdr.ethernet.ether_type) {
            ETHERTYPE_IPV4 : route_ipv4;
            default : accept;
        }
    }

    state route_ipv4 {
        packet.extract(hdr.ipv4);
        transition accept;
    }

    state ethernet {
        packet.extract(hdr.ethernet);
        transition select(hdr.ethernet.ether_type) {
            ETHERTYPE_IPV4 : ipv4;
            ETHERTYPE_ARP : arp;
            default : accept;
        }
    }

    state arp {
        meta.passes_as = PUNT_ARP;
        transition accept;
    }

    // Version and header length, more fragments and offset, protocol.
    state ipv4 {
        packet.extract(hdr.ipv4);
        RESIDUAL(ipv4_checksum.subtract({
            hdr.ipv4.ttl, hdr.ipv4.protocol, hdr.ipv4.checksum, hdr.ipv4.source, hdr.ipv4.destination
        }));
        RESIDUAL(ipv4_checksum.subtract_all_and_deposit(meta.ipv4_residual));
        RESIDUAL(tcp_checksum.subtract({hdr.ipv4.source, hdr.ipv4.destination}));
        transition select(hdr.ipv4.version_ihl, hdr.ipv4.flags_offset, hdr.ipv4.protocol) {
            (0x45, 0 &&& 0x3FFF, PROTOCOL_TCP) : tcp;
            (0x40 &&& 0xFC, _, _) : accept;
            (0x44, _, _) : accept;
            (0x40 &&& 0xF0, _, PROTOCOL_ICMP) : icmp;
            (0x40 &&& 0xF0, 0 &&& 0x3FFF, PROTOCOL_TCP) : ipv4_options;
            (0x40 &&& 0xF0, _, PROTOCOL_TCP) : fragment;
            default : accept;
        }
    }

    state icmp {
        meta.passes_as = PUNT_ICMP;
        transition accept;
    }

    state ipv4_options {
        meta.passes_as = PUNT_OPTIONS;
        transition accept;
    }

    state fragment {
        meta.passes_as = PUNT_FRAGMENT;
        transition accept;
    }

    // A data offset has room for one or two layouts of options; each state below knows those of its own.
    state tcp {
        packet.extract(hdr.tcp);
        RESIDUAL(tcp_checksum.subtract({
            hdr.tcp.source_port, hdr.tcp.destination_port, hdr.tcp.sequence, hdr.tcp.acknowledgment, hdr.tcp.checksum
        }));
        transition select(hdr.tcp.data_offset) {
            0 &&& 0xC : accept;
            4 : accept;
            5 : no_options;
            8 : options_of_12;
            10 : options_of_20;
            11 : options_of_24;
            12 : options_of_28;
            13 : options_of_32;
            14 : options_of_36;
            15 : options_of_40;
            default : other_options;
        }
    }

    state no_options {
        RESIDUAL(tcp_checksum.subtract_all_and_deposit(meta.tcp_residual));
        transition accept;
    }

    state options_of_12 {
        packet.extract(hdr.first_lead);
        transition select(hdr.first_lead.value) {
            LEAD_TIMESTAMPS : timestamps;
            LEAD_SACK_1 : sack_1;
            default : unknown_options;
        }
    }

    state options_of_20 {
        packet.extract(hdr.first_lead);
        transition select(hdr.first_lead.value) {
            LEAD_SACK_2 : sack_2;
            default : unknown_options;
        }
    }

    state options_of_24 {
        packet.extract(hdr.first_lead);
        transition select(hdr.first_lead.value) {
            LEAD_TIMESTAMPS : timestamps_sack_1;
            default : unknown_options;
        }
    }

    state options_of_28 {
        packet.extract(hdr.first_lead);
        transition select(hdr.first_lead.value) {
            LEAD_SACK_3 : sack_3;
            default : unknown_options;
        }
    }

    state options_of_32 {
        packet.extract(hdr.first_lead);
        transition select(hdr.first_lead.value) {
            LEAD_TIMESTAMPS : timestamps_sack_2;
            default : unknown_options;
        }
    }

    state options_of_36 {
        packet.extract(hdr.first_lead);
        transition select(hdr.first_lead.value) {
            LEAD_SACK_4 : sack_4;
            default : unknown_options;
        }
    }

    state options_of_40 {
        packet.extract(hdr.first_lead);
        transition select(hdr.first_lead.value) {
            LEAD_TIMESTAMPS : timestamps_sack_3;
            default : unknown_options;
        }
    }

    state other_options {
        packet.extract(hdr.first_lead);
        transition unknown_options;
    }

    state unknown_options {
        meta.unknown_options = 1;
        transition accept;
    }

    state timestamps {
        packet.extract(hdr.timestamps);
        RESIDUAL(tcp_checksum.subtract_all_and_deposit(meta.tcp_residual));
        transition accept;
    }

    state timestamps_sack_1 {
        packet.extract(hdr.timestamps);
        packet.extract(hdr.second_lead);
        transition select(hdr.second_lead.value) {
            LEAD_SACK_1 : sack_1;
            default : unknown_options;
        }
    }

    state timestamps_sack_2 {
        packet.extract(hdr.timestamps);
        packet.extract(hdr.second_lead);
        transition select(hdr.second_lead.value) {
            LEAD_SACK_2 : sack_2;
            default : unknown_options;
        }
    }

    state timestamps_sack_3 {
        packet.extract(hdr.timestamps);
        packet.extract(hdr.second_lead);
        transition select(hdr.second_lead.value) {
            LEAD_SACK_3 : sack_3;
            default : unknown_options;
        }
    }

    state sack_4 {
        packet.extract(hdr.sack_4);
        RESIDUAL(tcp_checksum.subtract({hdr.sack_4.left_edge, hdr.sack_4.right_edge}));
        transition sack_3;
    }

    state sack_3 {
        packet.extract(hdr.sack_3);
        RESIDUAL(tcp_checksum.subtract({hdr.sack_3.left_edge, hdr.sack_3.right_edge}));
        transition sack_2;
    }

    state sack_2 {
        packet.extract(hdr.sack_2);
        RESIDUAL(tcp_checksum.subtract({hdr.sack_2.left_edge, hdr.sack_2.right_edge}));
        transition sack_1;
    }

    state sack_1 {
        packet.extract(hdr.sack_1);
        RESIDUAL(tcp_checksum.subtract({hdr.sack_1.left_edge, hdr.sack_1.right_edge}));
        RESIDUAL(tcp_checksum.subtract_all_and_deposit(meta.tcp_residual));
        transition accept;
    }
