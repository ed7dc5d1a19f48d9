"""The Python source that is being generated, with the P4 position of each line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from p4model.language.errors import Position

_NOT_A_NAME = re.compile(r"\W+")


class Source:
    """Lines of Python; `position` is where the statement that is being translated stands."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.positions: list[Position] = []
        self.position = Position("<shell>", 1, 1)
        self._depth = 0
        self._used: dict[str, int] = {}

    def line(self, text: str) -> None:
        """Add a line at the current depth."""
        self.lines.append("    " * self._depth + text)
        self.positions.append(self.position)

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """Lines within `header:`; an empty block gets `pass`."""
        self.line(f"{header}:")
        start = len(self.lines)
        self._depth += 1
        yield
        if len(self.lines) == start:
            self.line("pass")
        self._depth -= 1

    @contextmanager
    def at(self, position: Position) -> Iterator[None]:
        """Lines for what stands at `position`."""
        before, self.position = self.position, position
        yield
        self.position = before

    @contextmanager
    def detached(self) -> Iterator[list[str]]:
        """Lines that are kept apart: they are in the list afterwards, for `resume` or `attach`."""
        start = len(self.lines)
        kept: list[str] = []
        yield kept
        kept.extend(self.lines[start:])
        del self.lines[start:], self.positions[start:]

    def resume(self, lines: list[str]) -> None:
        """Add detached lines where they would have stood."""
        self.lines.extend(lines)
        self.positions.extend([self.position] * len(lines))

    def attach(self, lines: list[str], last: str) -> None:
        """Add detached lines, then `last`, one level deeper than here."""
        for line in [*lines, "    " * self._depth + last]:
            self.lines.append("    " + line)
            self.positions.append(self.position)

    def name(self, hint: str) -> str:
        """A Python name that is not used yet."""
        base = _NOT_A_NAME.sub("_", hint).strip("_") or "value"
        number = self._used.get(base, 0)
        self._used[base] = number + 1
        return f"{base}_{number}"

    def text(self) -> str:
        """The whole source."""
        return "\n".join(self.lines) + "\n"
