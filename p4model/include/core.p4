// What every P4_16 program may use (P4_16 language specification, appendix "core.p4"), as far as the model supports it.

#ifndef P4MODEL_CORE_P4
#define P4MODEL_CORE_P4

error {
    NoError,
    PacketTooShort,
    NoMatch,
    StackOutOfBounds,
    HeaderTooShort,
    ParserTimeout,
    ParserInvalidArgument
}

match_kind {
    exact,
    ternary,
    lpm
}

extern packet_in {
    void extract<T>(out T hdr);
    T lookahead<T>();
    void advance(in bit<32> bits);
}

extern packet_out {
    void emit<T>(in T hdr);
}

// In parsers: ends parsing with an error unless the check holds.
extern void verify(in bool check, in error toSignal);

action NoAction() {}

#endif
