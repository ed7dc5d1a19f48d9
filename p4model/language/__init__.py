"""The P4_16 language: from source text to a checked program (P4_16 language specification, version 1.2.5)."""
