"""What is wrong with a configuration file, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

KeyPath = tuple[str | int, ...]
"""Keys and list positions from the top of the file down, for example `("pools", "web", "servers", 0)`."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake: `line` counts from 1, `path` is the key path as text, empty for the file as a whole."""

    file: Path
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}"
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class ConfigError(Exception):
    """A configuration that is refused whole; `problems` holds every mistake found, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = list(problems)


def path_text(path: KeyPath) -> str:
    """A key path as it is written in messages: `pools.web.servers[0]`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")


def alternatives(wrong: str, known: Sequence[str]) -> str:
    """What `wrong` was probably meant to be, or else everything it could have been."""
    close = get_close_matches(wrong, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(sorted(known)) or 'none'}"
