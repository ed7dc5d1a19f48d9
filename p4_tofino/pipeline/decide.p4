// All that is decided of a frame. Nothing is written to it, so that a punt leaves as it arrived.

#ifndef L7LB_DECIDE_P4
#define L7LB_DECIDE_P4

#include "types.p4"
#include "pipeline/classify.p4"
#include "pipeline/connections.p4"
#include "pipeline/digest.p4"
#include "pipeline/inspect.p4"
#include "pipeline/overrides.p4"
#include "pipeline/paths.p4"
#include "pipeline/ports.p4"
#include "pipeline/routes.p4"
#include "pipeline/settle.p4"

// `whole`: no header was cut short. Where one was, those before it are there.
control Decide(in headers_t hdr, inout metadata_t meta, in port_t ingress_port, in bool whole) {
    Ports() ports;
    Classify() classify;
    Overrides() overrides;
    Routes() routes;
    Entropy() entropy;
    ConnectionDigest() connection_digest;
    Inspect() inspect;
    Connections() connections;
    Settle() settle;
    Paths() paths;

    apply {
        if (hdr.ethernet.isValid()) {
            ports.apply(hdr, meta, ingress_port);
        }
        if (hdr.tcp.isValid() && whole) {
            classify.apply(hdr, meta);
            overrides.apply(hdr, meta);
        } else if (hdr.ipv4.isValid()) {
            meta.becomes.destination_address = hdr.ipv4.destination;
        }

        if (hdr.ipv4.isValid()) {
            routes.apply(hdr, meta);
            entropy.apply(hdr, meta);
        }
        if (meta.segment != NO_SEGMENT) {
            connection_digest.apply(hdr, meta);
        }
        inspect.apply(hdr, meta);

        connections.apply(meta);
        settle.apply(meta);
        paths.apply(hdr, meta);
    }
}

#endif
