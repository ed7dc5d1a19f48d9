"""Ids and names of the fields that are not the program's own."""

from __future__ import annotations

from typing import Final, NamedTuple


class SpecialField(NamedTuple):
    """A field that the run-time defines."""

    id: int
    name: str


MATCH_PRIORITY: Final = SpecialField(65537, "$MATCH_PRIORITY")
ENTRY_TTL: Final = SpecialField(65543, "$ENTRY_TTL")
ENTRY_HIT_STATE: Final = SpecialField(65544, "$ENTRY_HIT_STATE")
COUNTER_BYTES: Final = SpecialField(65553, "$COUNTER_SPEC_BYTES")
COUNTER_PACKETS: Final = SpecialField(65554, "$COUNTER_SPEC_PKTS")
COUNTER_INDEX: Final = SpecialField(65556, "$COUNTER_INDEX")
REGISTER_INDEX: Final = SpecialField(65557, "$REGISTER_INDEX")
