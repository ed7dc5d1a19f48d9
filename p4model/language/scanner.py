"""Characters to tokens (P4_16 section 6.4), before macros are expanded and names get their meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from p4model.language.errors import P4Error, Position


class Kind(Enum):
    """What a token looks like."""

    NAME = "name"
    NUMBER = "number"
    STRING = "string"
    SYMBOL = "symbol"


class Token(NamedTuple):
    """A token; `spaced` tells whether white space comes before it on its line."""

    kind: Kind
    text: str
    position: Position
    spaced: bool


_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_DIGITS = r"(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|0[dD][0-9_]+|[0-9][0-9_]*)"
_TOKEN = re.compile(
    rf"""(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<number>[0-9]+[ws]{_DIGITS}|{_DIGITS})
    |(?P<string>"(?:\\.|[^"\\])*")
    |(?P<symbol>\|\+\||\|-\||&&&|\.\.\.|\.\.|&&|\|\||==|!=|<=|>=|<<|\+\+|\#\#|[-+*/%~!&|^<>=?:;,.(){{}}\[\]@\#])""",
    re.VERBOSE,
)
_SPACE = re.compile(r"[ \t\r\f\v]*")


def lines(text: str, file: str) -> Iterator[list[Token]]:
    """The tokens of each logical line: comments are white space, a backslash at a line's end continues it.

    `>>` comes as two tokens, because it may close two lists of type arguments. Raises P4Error.
    """
    pending: list[Token] = []
    for number, line in enumerate(_COMMENT.sub(_blank, text).split("\n"), 1):
        stripped = line.rstrip()
        continued = stripped.endswith("\\")
        pending.extend(_tokens(stripped[:-1] if continued else stripped, file, number))
        if not continued:
            yield pending
            pending = []
    yield pending


def _blank(match: re.Match[str]) -> str:
    """White space of the same shape in place of a comment; strings stay."""
    found = match.group()
    return found if found.startswith('"') else re.sub(r"[^\n]", " ", found)


def _tokens(line: str, file: str, number: int) -> Iterator[Token]:
    at = 0
    while True:
        space = _SPACE.match(line, at)
        start = space.end() if space else at
        if start == len(line):
            return
        position = Position(file, number, start + 1)
        match = _TOKEN.match(line, start)
        if match is None or match.lastgroup is None:
            raise P4Error(position, f"character {line[start]!r} begins no token")
        yield Token(Kind(match.lastgroup), match.group(), position, spaced=start > at)
        at = match.end()
