"""Splicing: the life of a connection from its first data to its end, without I/O."""
