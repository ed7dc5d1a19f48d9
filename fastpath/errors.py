"""What can go wrong in a fast path."""

from __future__ import annotations


class FastPathError(Exception):
    """Base class; a batch that raised one has changed nothing."""


class TableFull(FastPathError):
    """There is no room for the batch."""


class Unavailable(FastPathError):
    """The target cannot be reached or its program or interfaces are missing."""


class Rejected(FastPathError):
    """The target refuses the batch as it stands: an unknown splice, a value out of range, an unsupported feature."""
