// Which port a frame belongs to, and whether it is addressed to it.

#ifndef L7LB_PORTS_P4
#define L7LB_PORTS_P4

#include "types.p4"

// Needs an Ethernet header.
control Ports(in headers_t hdr, inout metadata_t meta, in port_t ingress_port) {
    action known() {
        meta.known_port = 1;
    }

    // The port of a CPU header.
    table ports {
        key = {
            hdr.ethernet.destination[23:8] : exact @name("port");
        }
        actions = {
            known;
            @defaultonly NoAction;
        }
        const default_action = NoAction();
        size = PORTS;
    }

    action ours() {
        meta.our_address = 1;
    }

    table addresses {
        key = {
            ingress_port : exact @name("port");
            hdr.ethernet.destination : exact @name("address");
        }
        actions = {
            ours;
            @defaultonly NoAction;
        }
        const default_action = NoAction();
        size = PORTS;
    }

    action from_wire() {
        meta.port = (cpu_port_field_t) ingress_port;
    }

    action from_cpu() {
        meta.port = hdr.ethernet.destination[23:8];
    }

    apply {
        ports.apply();
        addresses.apply();
        if (meta.entry == ENTRY_WIRE) {
            from_wire();
        } else {
            from_cpu();
        }
    }
}

#endif
