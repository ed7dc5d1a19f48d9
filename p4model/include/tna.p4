// The Tofino Native Architecture for programs of both chips, chosen by __TARGET_TOFINO__.

#ifndef P4MODEL_TNA_P4
#define P4MODEL_TNA_P4

#include "tofino/metadata.p4"
#include "tofino/externs.p4"
#include "tofino/blocks.p4"

#endif
