// The v1model architecture, as simple_switch of bmv2 runs it: one pipeline of parser, checksum verification, ingress,
// egress, checksum update and deparser around one set of headers and metadata. What is declared here and not modelled
// is refused where a program uses it.

#ifndef P4MODEL_V1MODEL_P4
#define P4MODEL_V1MODEL_P4

#include <core.p4>

#ifndef V1MODEL_VERSION
#define V1MODEL_VERSION 20180101
#endif

// Types of indexes became parameters in 2020.
#if V1MODEL_VERSION >= 20200408
typedef bit<9> PortId_t;
#define V1MODEL_INDEX_PARAMETER <I>
#define V1MODEL_REGISTER_PARAMETERS <T, I>
#define V1MODEL_INDEX I
#else
#define V1MODEL_INDEX_PARAMETER
#define V1MODEL_REGISTER_PARAMETERS <T>
#define V1MODEL_INDEX bit<32>
#endif

#define V1MODEL_METER_COLOR_GREEN 0
#define V1MODEL_METER_COLOR_YELLOW 1
#define V1MODEL_METER_COLOR_RED 2

const bit<32> __v1model_version = V1MODEL_VERSION;

match_kind {
    range,
    optional,
    selector
}

// Lengths are in bytes, time stamps in microseconds. The port 511 drops.
struct standard_metadata_t {
    bit<9> ingress_port;
    bit<9> egress_spec;
    bit<9> egress_port;
    bit<32> instance_type;
    bit<32> packet_length;
    bit<32> enq_timestamp;
    bit<19> enq_qdepth;
    bit<32> deq_timedelta;
    bit<19> deq_qdepth;
    bit<48> ingress_global_timestamp;
    bit<48> egress_global_timestamp;
    bit<16> mcast_grp;
    bit<16> egress_rid;
    bit<1> checksum_error;
    error parser_error;
    bit<3> priority;
}

enum CounterType { packets, bytes, packets_and_bytes }

enum MeterType { packets, bytes }

enum HashAlgorithm { crc32, crc32_custom, crc16, crc16_custom, random, identity, csum16, xor16 }

enum CloneType { I2E, E2E }

extern counter V1MODEL_INDEX_PARAMETER {
    counter(bit<32> size, CounterType type);
    void count(in V1MODEL_INDEX index);
}

// Of the table that names it in `counters`: counts each hit, whether an action calls `count` or not.
extern direct_counter {
    direct_counter(CounterType type);
    void count();
}

extern meter V1MODEL_INDEX_PARAMETER {
    meter(bit<32> size, MeterType type);
    void execute_meter<T>(in V1MODEL_INDEX index, out T result);
}

extern direct_meter<T> {
    direct_meter(MeterType type);
    void read(out T result);
}

extern register V1MODEL_REGISTER_PARAMETERS {
    register(bit<32> size);
    void read(out T result, in V1MODEL_INDEX index);
    void write(in V1MODEL_INDEX index, in T value);
}

extern action_profile {
    action_profile(bit<32> size);
}

extern action_selector {
    action_selector(HashAlgorithm algorithm, bit<32> size, bit<32> outputWidth);
}

extern Checksum16 {
    Checksum16();
    bit<16> get<D>(in D data);
}

// Ingress only: one message of a packet, that of the last call, with the values of that moment.
extern void digest<T>(in bit<32> receiver, in T data);

extern void mark_to_drop(inout standard_metadata_t standard_metadata);

// base + hash % max; base alone if max is 0.
extern void hash<O, T, D, M>(out O result, in HashAlgorithm algo, in T base, in D data, in M max);

extern void random<T>(out T result, in T lo, in T hi);

// Fields of invalid headers are left out of the data of checksums; the payload is what the parser left.
extern void verify_checksum<T, O>(in bool condition, in T data, in O checksum, HashAlgorithm algo);
extern void verify_checksum_with_payload<T, O>(in bool condition, in T data, in O checksum, HashAlgorithm algo);
extern void update_checksum<T, O>(in bool condition, in T data, inout O checksum, HashAlgorithm algo);
extern void update_checksum_with_payload<T, O>(in bool condition, in T data, inout O checksum, HashAlgorithm algo);

extern void clone(in CloneType type, in bit<32> session);
extern void clone_preserving_field_list(in CloneType type, in bit<32> session, bit<8> index);
extern void resubmit_preserving_field_list(bit<8> index);
extern void recirculate_preserving_field_list(bit<8> index);
extern void truncate(in bit<32> length);

extern void assert(in bool check);
extern void assume(in bool check);
extern void log_msg<T>(string msg, @optional in T data);

parser Parser<H, M>(
    packet_in b,
    out H parsedHdr,
    inout M meta,
    inout standard_metadata_t standard_metadata);

control VerifyChecksum<H, M>(inout H hdr, inout M meta);

control Ingress<H, M>(inout H hdr, inout M meta, inout standard_metadata_t standard_metadata);

control Egress<H, M>(inout H hdr, inout M meta, inout standard_metadata_t standard_metadata);

control ComputeChecksum<H, M>(inout H hdr, inout M meta);

control Deparser<H>(packet_out b, in H hdr);

package V1Switch<H, M>(
    Parser<H, M> p,
    VerifyChecksum<H, M> vr,
    Ingress<H, M> ig,
    Egress<H, M> eg,
    ComputeChecksum<H, M> ck,
    Deparser<H> dep);

#endif
