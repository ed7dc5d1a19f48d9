"""v1model, as simple_switch of bmv2 runs it: its extern objects and functions, and its pipeline."""
