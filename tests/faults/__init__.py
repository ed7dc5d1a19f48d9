"""A bad wire for tests."""
