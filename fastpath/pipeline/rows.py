"""Table entries as plain values, and the difference between what is in the tables and what should be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple

Key = tuple[str, tuple[int, ...]]
"""A table and the values of its key fields; a prefix is its value and its length."""
Action = tuple[str, tuple[int, ...]]
"""An action and its arguments."""
Rows = Mapping[Key, Action]

CONNECTIONS, OVERRIDES = "connections", "overrides"
RECORDS = (CONNECTIONS, OVERRIDES)
"""The tables of records."""
SURROUNDINGS = ("next_hops", "routes", "ports", "addresses", "paths_to_server", "paths_to_client")
"""What records and groups refer to, or do not care about; each table after those that it refers to."""
GROUPS = ("servers", "vips")
"""The tables that say which digest a packet has."""
TABLES = (*SURROUNDINGS, *RECORDS, *GROUPS)
"""All tables of the program: what is in one may refer to those before it."""
PER_WRITE = 1024
"""Entries in one request where a change may be made in parts."""
PREFIXED = frozenset({"routes"})
"""Tables whose key is one prefix."""
TRAFFIC, OUTCOMES = "traffic", "outcomes"
"""The counters of the program."""

_ORDER = {table: place for place, table in enumerate(TABLES)}


class Change(Enum):
    """What happens to an entry."""

    INSERT = "insert"
    MODIFY = "modify"
    DELETE = "delete"


class Step(NamedTuple):
    """One change of one entry; `action` is None for a deletion."""

    change: Change
    key: Key
    action: Action | None


def difference(old: Rows, new: Rows) -> list[Step]:
    """What makes `new` of `old`: additions before deletions, and no entry that refers to one that is not there."""
    added = [key for key in new if key not in old]
    changed = [key for key, action in new.items() if key in old and old[key] != action]
    removed = [key for key in old if key not in new]
    put = sorted((*added, *changed), key=lambda key: _ORDER[key[0]])
    steps = [Step(Change.MODIFY if key in old else Change.INSERT, key, new[key]) for key in put]
    steps += [Step(Change.DELETE, key, None) for key in sorted(removed, key=lambda key: _ORDER[key[0]], reverse=True)]
    return steps


def applied(rows: dict[Key, Action], steps: Iterable[Step]) -> None:
    """Note in `rows` that `steps` were carried out."""
    for _, key, action in steps:
        if action is None:
            rows.pop(key, None)
        else:
            rows[key] = action


def in_tables(steps: Iterable[Step], tables: Iterable[str]) -> Iterator[Step]:
    """The steps that change `tables`."""
    names = frozenset(tables)
    return (step for step in steps if step.key[0] in names)
