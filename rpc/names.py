"""Names by unique dotted suffix: `vips` for `pipe.Ingress.classify.vips`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Generic, TypeVar

from rpc.errors import SchemaError

_T = TypeVar("_T")


class Names(Generic[_T]):
    """Objects by name; `what` and `where` say in errors what they are and whose, such as "action" and "of vips"."""

    def __init__(self, what: str, where: str, objects: Mapping[str, _T]) -> None:
        self._what, self._where, self._objects = what, where, objects
        self._suffixes: dict[str, list[str]] = {}
        for name in objects:
            for suffix in _suffixes(name):
                self._suffixes.setdefault(suffix, []).append(name)

    def find(self, name: str) -> _T:
        """The object of that full name, or the only one with that dotted suffix; raises SchemaError."""
        if name in self._objects:
            return self._objects[name]
        found = self._suffixes.get(name, [])
        if len(found) == 1:
            return self._objects[found[0]]
        if found:
            raise SchemaError(f"{self._what} {name!r} {self._where} is ambiguous: {_listed(found)}")
        near = get_close_matches(name, self._suffixes, n=3, cutoff=0.6)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {_listed(self._objects)}"
        raise SchemaError(f"no {self._what} {name!r} {self._where}; {hint}")


def _suffixes(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[start:]) for start in range(len(parts))]


def _listed(names: Iterable[str], most: int = 12) -> str:
    listed = sorted(names)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "") or "none"
