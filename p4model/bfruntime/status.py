"""How refusals of single updates and entities travel."""

from __future__ import annotations

from collections.abc import Sequence

from google.rpc import code_pb2

from bfrt.proto import bfruntime_pb2 as pb
from p4model.bfruntime.tables.base import Note
from p4model.state.errors import AlreadyExists, InvalidArgument, NoSpace, NotFound, NotSupported, StateError

_CODES: dict[type[StateError], tuple[int, str]] = {
    InvalidArgument: (code_pb2.INVALID_ARGUMENT, "Invalid arguments"),
    AlreadyExists: (code_pb2.ALREADY_EXISTS, "Already exists"),
    NotFound: (code_pb2.NOT_FOUND, "Object not found"),
    NoSpace: (code_pb2.RESOURCE_EXHAUSTED, "Not enough space"),
    NotSupported: (code_pb2.UNIMPLEMENTED, "Operation not supported"),
}
"""By refusal: its gRPC code and the driver's text for it."""


class FailedParts(Exception):
    """Some update of a Write or entity of a Read has failed; `parts` are its statuses up to the last failed one."""

    def __init__(self, parts: Sequence[pb.Error]) -> None:
        super().__init__(f"{len(parts)} parts")
        self.parts = parts


def failed(error: StateError) -> pb.Error:
    """The status of an update or entity that was refused."""
    code, text = _CODES[type(error)]
    return pb.Error(canonical_code=code, message=f"{error}. {text}")


def noted(note: Note) -> pb.Error:
    """The status of an update that succeeded."""
    return pb.Error(code=note)


def cut(parts: Sequence[pb.Error]) -> Sequence[pb.Error]:
    """The statuses up to the last one that tells anything."""
    length = len(parts)
    while length and not (parts[length - 1].canonical_code or parts[length - 1].code):
        length -= 1
    return parts[:length]


def any_failed(parts: Sequence[pb.Error]) -> bool:
    """Whether some part has failed."""
    return any(part.canonical_code for part in parts)


def last_failed(parts: Sequence[pb.Error]) -> Sequence[pb.Error]:
    """The statuses up to the last failed one."""
    length = max((index for index, part in enumerate(parts, 1) if part.canonical_code), default=0)
    return parts[:length]
