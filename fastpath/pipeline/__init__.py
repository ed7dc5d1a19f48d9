"""The fast path of the P4 program, on every target that runs it: what is in its tables, and when."""
