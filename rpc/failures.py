"""Batches of which a part failed."""

from __future__ import annotations

from dataclasses import dataclass

import grpc

from rpc.errors import RpcError
from rpc.update import Update


@dataclass(frozen=True, slots=True)
class Failure:
    """One update or read that failed: its place in the batch and the entry in words, such as `vips(port=80)`.

    `update` is None for reads. `code` is the canonical code, `message` the server's own text.
    """

    index: int
    update: Update | None
    table: str
    entry: str
    code: grpc.StatusCode
    message: str

    def __str__(self) -> str:
        return f"{self.entry}: {self.code.name}: {self.message}"


class BatchFailed(RpcError):
    """Some of a batch failed; `failures` is in the order of the batch, and empty if the server named none."""

    def __init__(self, what: str, failures: tuple[Failure, ...], size: int) -> None:
        self.failures = failures
        super().__init__(f"{what}: {self._words(size)}")

    @property
    def index(self) -> int | None:
        """The place of the first failure in the batch; None if the server named none."""
        return self.failures[0].index if self.failures else None

    def _words(self, size: int) -> str:
        if not self.failures:
            return f"the server did not say which of {size} failed"
        first, more = self.failures[0], len(self.failures) - 1
        return f"{first} (number {first.index + 1} of {size}{f', and {more} more' if more else ''})"


class WriteFailed(BatchFailed):
    """Updates failed: of an atomic batch, nothing was applied; of another, all but `failures`."""


class ReadFailed(BatchFailed):
    """Entries could not be read."""
