"""Balancing: which server of a pool gets the next connection."""
