"""The syntax tree: what a program says, before names and types are resolved. Every node has its position."""
