"""Where a test's server listens."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import pytest


@pytest.fixture
def address() -> Iterator[str]:
    """An address that a server can come back to; in a short directory, for the kernel allows 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="bfrt") as directory:
        yield f"unix:{directory}/grpc"
