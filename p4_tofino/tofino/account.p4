// What the slow path learns of the packets that it does not see.

#ifndef L7LB_ACCOUNT_P4
#define L7LB_ACCOUNT_P4

#include "types.p4"

// The bit of a record in its word of the register `seen`: 1 << (digest & 31).
control SeenBit(inout metadata_t meta) {
    action set(bit<32> bit_of_record) {
        meta.seen_bit = bit_of_record;
    }

    table seen_bits {
        key = {
            meta.digest[4:0] : exact @name("digest");
        }
        actions = {
            set;
        }
        const entries = {
            0 : set(0x00000001);
            1 : set(0x00000002);
            2 : set(0x00000004);
            3 : set(0x00000008);
            4 : set(0x00000010);
            5 : set(0x00000020);
            6 : set(0x00000040);
            7 : set(0x00000080);
            8 : set(0x00000100);
            9 : set(0x00000200);
            10 : set(0x00000400);
            11 : set(0x00000800);
            12 : set(0x00001000);
            13 : set(0x00002000);
            14 : set(0x00004000);
            15 : set(0x00008000);
            16 : set(0x00010000);
            17 : set(0x00020000);
            18 : set(0x00040000);
            19 : set(0x00080000);
            20 : set(0x00100000);
            21 : set(0x00200000);
            22 : set(0x00400000);
            23 : set(0x00800000);
            24 : set(0x01000000);
            25 : set(0x02000000);
            26 : set(0x04000000);
            27 : set(0x08000000);
            28 : set(0x10000000);
            29 : set(0x20000000);
            30 : set(0x40000000);
            31 : set(0x80000000);
        }
        const default_action = set(0);
        size = 32;
    }

    apply {
        seen_bits.apply();
    }
}

// Of a packet that was translated and sent.
control Account(in metadata_t meta) {
    // By path * 2 + direction: 0 to the server, 1 to the client.
    Counter<bit<64>, bit<(PATH_BITS + 1)>>(PATHS * 2, CounterType_t.PACKETS_AND_BYTES) traffic;

    // A word has the bits of 32 records; the slow path reads and clears them.
    Register<bit<32>, bit<(SEEN_LOG2 - 5)>>(1 << (SEEN_LOG2 - 5), 0) seen;

    RegisterAction<bit<32>, bit<(SEEN_LOG2 - 5)>, bit<32>>(seen) mark = {
        void apply(inout bit<32> word) {
            word = word | meta.seen_bit;
        }
    };

    action count() {
        traffic.count(meta.pivot_and_path[PATH_BITS - 1:0] ++ meta.direction[1:1]);
        mark.execute(meta.digest[SEEN_LOG2 - 1:5]);
    }

    apply {
        count();
    }
}

// Of a packet that was not: by verdict.
control Outcomes(in verdict_t verdict) {
    Counter<bit<64>, bit<8>>(64, CounterType_t.PACKETS) outcomes;

    apply {
        outcomes.count(verdict);
    }
}

#endif
