"""The algorithms of hashes and checksums, on bytes (bmv2, calculations)."""

from __future__ import annotations

from collections.abc import Callable

from p4model.execution import checksum, crc
from p4model.language.errors import P4Error
from p4model.language.semantics import expressions as ir
from p4model.language.semantics import types

_IDENTITY_BYTES = 8
_WORD_BYTES = 2


def _identity(data: bytes) -> int:
    """The first eight bytes as a number."""
    return int.from_bytes(data[:_IDENTITY_BYTES])


def _xor16(data: bytes) -> int:
    """All 16-bit words, the last one completed with a zero."""
    result = 0
    for start in range(0, len(data), _WORD_BYTES):
        result ^= int.from_bytes(data[start : start + _WORD_BYTES].ljust(_WORD_BYTES, b"\0"))
    return result


_ALGORITHMS: dict[str, Callable[[bytes], int]] = {
    "crc16": crc.function(crc.CRC16),
    "crc32": crc.function(crc.CRC32),
    "csum16": checksum.of_bytes,
    "identity": _identity,
    "xor16": _xor16,
}


def named(argument: ir.Expression | None) -> tuple[str, Callable[[bytes], int]]:
    """The algorithm that an argument of type HashAlgorithm names; P4Error if it is not known now, or not modelled."""
    assert argument is not None
    if not isinstance(argument, ir.Constant) or not isinstance(argument.type, types.Enum):
        raise P4Error(argument.position, "the algorithm must be a constant")
    name = argument.type.members[int(argument.value)]
    if name not in _ALGORITHMS:
        raise P4Error(argument.position, f"HashAlgorithm.{name} is not supported; {', '.join(sorted(_ALGORITHMS))} are")
    return name, _ALGORITHMS[name]
