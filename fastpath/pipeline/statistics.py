"""What can be told of a switch besides the counters that all fast paths have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statistics:
    """A snapshot."""

    overrides: int
    """Entries of `overrides` that are in use: two for each SNAT splice and each whose digest was taken."""
    reconciliations: int
    """How often the tables were compared with what should be in them."""
    punts_withheld: int
    """Packets of new connections that were dropped because the record in their way could not be moved."""
