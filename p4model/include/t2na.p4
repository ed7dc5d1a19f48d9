// The native architecture of Tofino 2: as TNA, for __TARGET_TOFINO__ 2 only; its ghost thread is not modelled.

#ifndef P4MODEL_T2NA_P4
#define P4MODEL_T2NA_P4

#if __TARGET_TOFINO__ != 2
#error t2na.p4 needs __TARGET_TOFINO__ 2
#endif

#include "tna.p4"

#endif
