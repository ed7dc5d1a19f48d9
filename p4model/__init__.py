"""An interpreter of P4_16 programs for the Tofino Native Architecture, with a BfRt service: a test instrument."""
