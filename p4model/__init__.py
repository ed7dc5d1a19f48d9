"""An interpreter of P4_16 programs for TNA and v1model, with services of BfRt and P4Runtime: a test instrument."""
