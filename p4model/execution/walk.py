"""All nodes of a checked tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass


def nodes(root: object) -> Iterator[object]:
    """Every dataclass instance that can be reached from `root`, each once."""
    seen: set[int] = set()
    pending = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, tuple | list):
            pending.extend(node)
        elif isinstance(node, Mapping):
            pending.extend(node.values())
        elif is_dataclass(node) and id(node) not in seen:
            seen.add(id(node))
            yield node
            pending.extend(getattr(node, entry.name) for entry in fields(node))
