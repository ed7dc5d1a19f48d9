"""What the data plane reads and writes while it runs: the state that the control plane shares with it."""

from __future__ import annotations

from typing import Protocol


class Table(Protocol):
    """The entries of a match-action table.

    A result is (hit, index in `TableInfo.actions`, arguments): of the entry that matches, or of the default action.
    Keys have one number per key field, in order.
    """

    def lookup(self, key: tuple[int, ...]) -> tuple[bool, int, tuple[int, ...]]:
        """Look up a key in a table without direct counter and idle timeout."""

    def lookup_counted(self, key: tuple[int, ...], frame_bytes: int) -> tuple[bool, int, tuple[int, ...]]:
        """Look up a key; an entry that matches counts the frame and is not idle."""


class Counter(Protocol):
    """An indirect counter."""

    def count(self, index: int, frame_bytes: int) -> None:
        """Count a frame of so many bytes at an index below the size."""


class Register(Protocol):
    """A register array; a value has one number per member."""

    def read(self, index: int) -> tuple[int, ...]:
        """The value at an index below the size."""

    def write(self, index: int, value: tuple[int, ...]) -> None:
        """Replace the value at an index below the size."""


class State(Protocol):
    """All of it, by the names of `ProgramInfo`."""

    def table(self, name: str) -> Table:
        """A table."""

    def counter(self, name: str) -> Counter:
        """A counter."""

    def register(self, name: str) -> Register:
        """A register."""
