"""How refusals of single updates travel: p4.v1.Error."""

from __future__ import annotations

import grpc
from google.rpc import code_pb2

from p4model.state.errors import AlreadyExists, InvalidArgument, NoSpace, NotFound, NotSupported, StateError
from p4rt.proto import p4runtime_pb2 as pb

SPACE = "p4model"
"""The space of error codes of our own, of which there are none."""


class OutOfRange(StateError):
    """A value has more bits than its field, or an index is not below its size."""


class PermissionDenied(StateError):
    """The program forbids it."""


_CODES: dict[type[StateError], int] = {
    InvalidArgument: code_pb2.INVALID_ARGUMENT,
    AlreadyExists: code_pb2.ALREADY_EXISTS,
    NotFound: code_pb2.NOT_FOUND,
    NoSpace: code_pb2.RESOURCE_EXHAUSTED,
    NotSupported: code_pb2.UNIMPLEMENTED,
    OutOfRange: code_pb2.OUT_OF_RANGE,
    PermissionDenied: code_pb2.PERMISSION_DENIED,
}
_STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}


class FailedUpdates(Exception):
    """Some update of a Write has failed; `parts` has the status of each one."""

    def __init__(self, parts: list[pb.Error]) -> None:
        failures = [part for part in parts if part.canonical_code]
        super().__init__(f"{len(failures)} of {len(parts)} updates failed, the first: {failures[0].message}")
        self.parts = parts


def failed(error: StateError) -> pb.Error:
    """The status of an update that was refused."""
    return pb.Error(canonical_code=_CODES[type(error)], message=str(error), space=SPACE)


def status_code(error: StateError) -> grpc.StatusCode:
    """The status of a request that was refused as a whole."""
    return _STATUS_CODES[_CODES[type(error)]]
