"""Execution of checked programs: each becomes one Python function that takes a packet through all of it."""
