"""What both libraries' updates have in common."""

from __future__ import annotations

from typing import Protocol


class Named(Protocol):
    """A table, as errors call it."""

    @property
    def name(self) -> str:
        """The full name."""
        ...


class Update(Protocol):
    """One update of `table`; `wire` is a WriteRequest that holds nothing else; str() gives its entry in words.

    Serialised messages that are joined make one with all their repeated fields, so that a batch is joined, not built.
    """

    @property
    def table(self) -> Named:
        """Whose entry it is about."""
        ...

    @property
    def wire(self) -> bytes:
        """The serialised WriteRequest."""
        ...
