"""Preprocessed tokens as a text that gives the same tokens at the same positions."""

from __future__ import annotations

from collections.abc import Iterable

from p4model.language.errors import Position
from p4model.language.scanner import Token


def spelled(tokens: Iterable[Token]) -> str:
    """The text: every token stands in its column, and #line tells its file and line wherever these jump.

    What a macro has put at one place is spread over lines that all claim to be the same one.
    """
    lines: list[str] = []
    line = ""
    here = Position("", 0, 0)
    for token in tokens:
        position = token.position
        before = len(line)
        if token.text == ">" and not token.spaced and line.endswith(">"):
            line += ">"
            continue
        if position[:2] != here[:2] or before >= position.column:
            lines.append(line)
            if (position.file, position.line) != (here.file, here.line + 1):
                lines.append(f"#line {position.line} {quoted(position.file)}")
            line, here = "", position
        line = line.ljust(position.column - 1) + token.text
    return "\n".join([*lines[1:], line, ""])


def quoted(text: str) -> str:
    """A text as a string of P4."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unquoted(string: str) -> str:
    """The text of what `quoted` gave."""
    return string[1:-1].replace('\\"', '"').replace("\\\\", "\\")
