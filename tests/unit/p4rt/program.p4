// A program with something of everything that the client library knows.

#include <core.p4>
#include <v1model.p4>

header ethernet_t {
    bit<48> destination;
    bit<48> source;
    bit<16> ether_type;
}

struct headers_t {
    ethernet_t ethernet;
}

struct metadata_t {}

struct ended_t {
    bit<48> address;
    bit<16> flags;
}

parser SwitchParser(packet_in packet, out headers_t headers, inout metadata_t meta, inout standard_metadata_t standard) {
    state start {
        packet.extract(headers.ethernet);
        transition accept;
    }
}

control VerifyChecksums(inout headers_t headers, inout metadata_t meta) {
    apply {}
}

control SwitchIngress(inout headers_t headers, inout metadata_t meta, inout standard_metadata_t standard) {
    counter(8, CounterType.packets_and_bytes) traffic;
    direct_counter(CounterType.packets_and_bytes) hits;

    action forward(bit<9> port, bit<48> address) {
        standard.egress_spec = port;
        headers.ethernet.destination = address;
        hits.count();
    }

    action discard() {
        mark_to_drop(standard);
        hits.count();
    }

    action via(bit<16> hop) {
        headers.ethernet.ether_type = hop;
    }

    action none() {}

    table connections {
        key = {
            headers.ethernet.destination: exact @name("address");
            headers.ethernet.ether_type: exact @name("kind");
        }
        actions = { forward; discard; }
        default_action = discard();
        counters = hits;
        support_timeout = true;
        size = 16;
    }

    table routes {
        key = { headers.ethernet.destination: lpm @name("address"); }
        actions = { via; none; }
        default_action = none();
        size = 16;
    }

    table rules {
        key = {
            headers.ethernet.destination: ternary @name("address");
            headers.ethernet.ether_type: range @name("kind");
            headers.ethernet.source: exact @name("source");
        }
        actions = { via; none; }
        default_action = none();
        size = 16;
    }

    apply {
        traffic.count((bit<32>)standard.ingress_port);
        if (headers.ethernet.ether_type == 7) {
            digest<ended_t>(1, { headers.ethernet.source, headers.ethernet.ether_type });
        }
        connections.apply();
        routes.apply();
        rules.apply();
    }
}

control SwitchEgress(inout headers_t headers, inout metadata_t meta, inout standard_metadata_t standard) {
    apply {}
}

control ComputeChecksums(inout headers_t headers, inout metadata_t meta) {
    apply {}
}

control SwitchDeparser(packet_out packet, in headers_t headers) {
    apply {
        packet.emit(headers.ethernet);
    }
}

V1Switch(SwitchParser(), VerifyChecksums(), SwitchIngress(), SwitchEgress(), ComputeChecksums(), SwitchDeparser()) main;
