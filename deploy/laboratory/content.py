"""The files that the servers serve: random bytes, the same in every laboratory, so that every slip shows."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000, "1M": 1_000_000, "10M": 10_000_000, "100M": 100_000_000}
"""Bytes by file name."""
_SEED = 7


def generate(directory: Path) -> dict[str, str]:
    """Write the files into `directory`; returns their SHA-256 in hex by name. Each is the start of the next larger."""
    data = memoryview(random.Random(_SEED).randbytes(max(SIZES.values())))
    digests = {}
    for name, size in SIZES.items():
        (directory / name).write_bytes(data[:size])
        digests[name] = hashlib.sha256(data[:size]).hexdigest()
    return digests
