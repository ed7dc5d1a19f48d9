"""What the parts of v1model call the same: Python names of the generated function, and the blocks of V1Switch."""

from __future__ import annotations

from enum import Enum

from p4model.language.semantics.types import Type

DIGESTS = "digests"
"""The list of a packet's digests."""
ERROR = "error"
"""The error of the parser, 0 for none."""
DATA, OFFSET, END = "data", "offset", "end"
"""The frame, what of it the parser has taken, and its length."""

DROP_PORT = 511


class Block(Enum):
    """A block of V1Switch by the name of its parameter; V1Switch takes one of each."""

    PARSER = "p"
    VERIFY = "vr"
    INGRESS = "ig"
    EGRESS = "eg"
    COMPUTE = "ck"
    DEPARSER = "dep"


def is_standard_metadata(kind: Type) -> bool:
    """Whether a type is standard_metadata_t."""
    return str(kind) == "standard_metadata_t"
