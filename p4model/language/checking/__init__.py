"""The checker: from the syntax tree to the checked program; every message says what was expected and found."""
