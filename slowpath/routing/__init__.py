"""Routing rules: from a request head to a pool."""
