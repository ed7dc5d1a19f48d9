// One object of each kind that P4Runtime shows.

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

struct learned_t {
    bit<48> source;
    bit<9> port;
}

parser PacketParser(packet_in pkt, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    state start {
        pkt.extract(hdr.ethernet);
        transition accept;
    }
}

control Nothing(inout headers_t hdr, inout metadata_t meta) {
    apply {}
}

control Rules(inout headers_t hdr, inout standard_metadata_t std) {
    action mark(bit<16> ether_type) {
        hdr.ethernet.ether_type = ether_type;
    }
    @name("decisions.mark") action decide(bit<48> destination) {
        hdr.ethernet.destination = destination;
    }
    table rules {
        key = {
            hdr.ethernet.destination : ternary @name("destination");
            hdr.ethernet.ether_type : range @name("type");
            std.ingress_port : exact @name("port");
        }
        actions = { mark; @defaultonly NoAction; }
        const default_action = NoAction();
        size = 8;
    }
    table decisions {
        key = { hdr.ethernet.ether_type : ternary; }
        actions = { decide; }
        default_action = decide(7);
        const entries = {
            1 &&& 1 : decide(1);
            _ : decide(2);
        }
        size = 2;
    }
    apply {
        rules.apply();
        decisions.apply();
    }
}

control Pipeline(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    counter(4, CounterType.packets_and_bytes) traffic;
    counter(2, CounterType.packets) outcomes;
    direct_counter(CounterType.packets_and_bytes) hits;
    Rules() inner;
    action to(bit<9> port) {
        std.egress_spec = port;
        hits.count();
    }
    action discard() {
        mark_to_drop(std);
        hits.count();
    }
    action rewrite(bit<48> source, bit<16> ether_type) {
        hdr.ethernet.source = source;
        hdr.ethernet.ether_type = ether_type;
    }
    table lines {
        key = { std.ingress_port : exact @name("port"); }
        actions = { to; discard; }
        default_action = discard();
        counters = hits;
        support_timeout = true;
        size = 3;
    }
    table routes {
        key = {
            hdr.ethernet.destination : lpm @name("destination");
            hdr.ethernet.ether_type : exact @name("type");
        }
        actions = { @tableonly rewrite; NoAction; }
        size = 4;
    }
    table keyless {
        actions = { rewrite; NoAction; }
        default_action = NoAction();
        size = 1024;
    }
    apply {
        lines.apply();
        routes.apply();
        keyless.apply();
        inner.apply(hdr, std);
        traffic.count((bit<32>) std.ingress_port);
        outcomes.count(0);
        digest<learned_t>(1, { hdr.ethernet.source, std.ingress_port });
    }
}

control Leaving(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    apply {}
}

control PacketDeparser(packet_out pkt, in headers_t hdr) {
    apply {
        pkt.emit(hdr.ethernet);
    }
}

V1Switch(PacketParser(), Nothing(), Pipeline(), Leaving(), Nothing(), PacketDeparser()) main;
