"""The kinds of tables that are served, each with what can be done to it."""
