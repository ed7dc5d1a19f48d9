"""Positions in P4 source, and the one error that a program can be refused with."""

from __future__ import annotations

from typing import NamedTuple


class Position(NamedTuple):
    """A place in a source file; lines and columns count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class P4Error(Exception):
    """A program that is not P4_16, or uses what is not supported: `file:line:column: what`."""

    def __init__(self, position: Position, message: str) -> None:
        super().__init__(f"{position}: {message}")
        self.position = position
        self.message = message
