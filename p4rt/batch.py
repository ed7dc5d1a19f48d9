"""Batches of updates: each for itself, or all or none."""

from __future__ import annotations

from collections.abc import Sequence

import grpc

from p4rt.connection import Connection
from p4rt.errors import P4rtError, Unavailable
from p4rt.proto import p4runtime_pb2 as pb
from p4rt.undo import Undo
from p4rt.update import Update
from rpc.failures import Failure, WriteFailed


async def write_each(
    connection: Connection, updates: Sequence[Update], *, ignore_missing: bool, timeout: float
) -> None:
    """Try every update; raises WriteFailed for those that failed, and what `Connection.write` raises."""
    failures = _counting(await connection.write(updates, timeout), ignore_missing=ignore_missing)
    if failures:
        raise WriteFailed("write failed in part", failures, len(updates))


async def write_all(connection: Connection, updates: Sequence[Update], *, ignore_missing: bool, timeout: float) -> None:
    """All or none: what was carried out of a batch that failed is undone before WriteFailed is raised.

    Raises Unavailable if it is not known what was carried out, or if that could not be undone.
    """
    undo = Undo(updates)
    if len(updates) > 1 and (needed := undo.needed):
        undo.remember(await connection.read("what the write changes", needed, timeout))
    try:
        failed = await connection.write(updates, timeout)
    except WriteFailed as unknown:
        raise Unavailable(str(unknown)) from unknown
    failures = _counting(failed, ignore_missing=ignore_missing)
    if not failures:
        return
    error = WriteFailed("write undone", failures, len(updates))
    try:
        back = undo.after(failure.index for failure in failed)
        if back and (stuck := await connection.write(back, timeout)):
            raise WriteFailed("undoing failed", stuck, len(back))
    except P4rtError as reason:
        raise Unavailable(f"{error}; it could not be undone: {reason}") from reason
    except BaseException:
        # Cancelled half-way: the connection after this one finds out what is there.
        connection.abort()
        raise
    raise error


def _counting(failures: tuple[Failure, ...], *, ignore_missing: bool) -> tuple[Failure, ...]:
    """The failures that count as such."""
    return tuple(failure for failure in failures if not (ignore_missing and _was_missing(failure)))


def _was_missing(failure: Failure) -> bool:
    deletes = isinstance(failure.update, Update) and failure.update.type == pb.Update.DELETE
    return deletes and failure.code is grpc.StatusCode.NOT_FOUND
