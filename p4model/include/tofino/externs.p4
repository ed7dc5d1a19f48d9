// The extern objects of TNA that the model runs; a program that names another one is refused.

#ifndef P4MODEL_TOFINO_EXTERNS_P4
#define P4MODEL_TOFINO_EXTERNS_P4

#include <core.p4>
#include "metadata.p4"

match_kind {
    range
}

enum CounterType_t { PACKETS, BYTES, PACKETS_AND_BYTES }

enum HashAlgorithm_t { IDENTITY, RANDOM, XOR8, XOR16, XOR32, CRC8, CRC16, CRC32, CRC64, CUSTOM }

// Ones' complement sums of 16 bits. In a parser: add, verify (true if the sum is wrong), subtract, and the residual
// that is left of a checksum without what was subtracted. In a deparser: update.
extern Checksum {
    Checksum();
    void add<T>(in T data);
    void subtract<T>(in T data);
    bool verify();
    void subtract_all_and_deposit<T>(out T residual);
    bit<16> get();
    bit<16> update<T>(in T data, @optional in bool zeros_as_ones);
}

// `coeff` is without its highest bit unless `extended`; `msb` is not supported.
extern CRCPolynomial<T> {
    CRCPolynomial(T coeff, bool reversed, bool msb, bool extended, T init, T xor);
}

extern Hash<W> {
    Hash(HashAlgorithm_t algo);
    Hash(HashAlgorithm_t algo, CRCPolynomial<_> poly);
    W get<D>(in D data);
}

extern Counter<W, I> {
    Counter(bit<32> size, CounterType_t type);
    void count(in I index, @optional in bit<32> adjust_byte_count);
}

extern DirectCounter<W> {
    DirectCounter(CounterType_t type);
    void count(@optional in bit<32> adjust_byte_count);
}

extern Register<T, I> {
    Register(bit<32> size);
    Register(bit<32> size, T initial_value);
    T read(in I index);
    void write(in I index, in T value);
}

extern RegisterAction<T, I, U> {
    RegisterAction(Register<_, _> reg);
    U execute(in I index);
    abstract void apply(inout T value, @optional out U rv);
}

extern Digest<T> {
    Digest(DigestType_t digest_type);
    void pack(in T data);
}

extern T max<T>(in T t1, in T t2);
extern T min<T>(in T t1, in T t2);
extern void invalidate<T>(in T field);

#endif
