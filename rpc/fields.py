"""Fields of keys and actions, the values that they take, and entries in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Protocol

from rpc.errors import SchemaError
from rpc.values import KeyValue, Prefix, Range, Ternary

_WIDE = 32
"""Integers of at least so many bits are written in hexadecimal, narrower ones (ports, paths) in decimal."""


class MatchType(Enum):
    """How a key field matches; the values are the words of bf-rt.json."""

    EXACT = "Exact"
    TERNARY = "Ternary"
    LPM = "LPM"
    RANGE = "Range"
    OPTIONAL = "Optional"


class Field(Protocol):
    """A field of a key or a parameter of an action; `width` in bits."""

    @property
    def name(self) -> str:
        """As the program calls it."""
        ...

    @property
    def width(self) -> int:
        """Bits of an integer; 0 for what is none."""
        ...

    @property
    def match(self) -> MatchType:
        """How it matches; EXACT for a parameter."""
        ...


def check_count(table: str, what: str, fields: Sequence[Field], values: Sequence[object]) -> None:
    """Raise SchemaError unless there is one value per field."""
    if len(values) != len(fields):
        names = ", ".join(field.name for field in fields) or "none"
        raise SchemaError(f"{table}: {what} takes {len(fields)} values ({names}), not {len(values)}")


def check_integer(table: str, field: Field, value: object) -> int:
    """The value, if it is an integer that fits the field; raises SchemaError."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise SchemaError(f"{table}: {field.name} is an integer of {field.width} bits, not {value!r}")
    if value >> field.width:
        raise SchemaError(f"{table}: {field.name} has {field.width} bits, {value:#x} does not fit")
    return value


def check_key_value(table: str, field: Field, value: KeyValue) -> None:
    """Raise SchemaError unless the value is one that an integer field of its kind of match takes."""
    kinds, wanted, integers = _TAKES[field.match]
    if not isinstance(value, kinds):
        raise SchemaError(f"{table}: key field {field.name} matches {field.match.value}: give {wanted}, not {value!r}")
    for integer in integers(value):
        check_integer(table, field, integer)
    if isinstance(value, Prefix) and not 0 <= value.length <= field.width:
        raise SchemaError(f"{table}: {field.name} has {field.width} bits, not a prefix of {value.length}")
    if isinstance(value, Range) and value.low > value.high:
        raise SchemaError(f"{table}: {field.name}: the range {value.low}..{value.high} is empty")


def describe_key(name: str, fields: Sequence[Field], key: Sequence[KeyValue]) -> str:
    """An entry of table `name` in words, such as `connections(digest=0x12ab34cd)`."""
    words = [f"{field.name}={_word(field, value)}" for field, value in zip(fields, key, strict=True)]
    return f"{name}({', '.join(words)})"


_TAKES: dict[MatchType, tuple[type | tuple[type, ...], str, Callable[..., tuple[object, ...]]]] = {
    MatchType.EXACT: (int, "an integer", lambda value: (value,)),
    MatchType.TERNARY: (Ternary, "a Ternary", lambda value: (value.value, value.mask)),
    MatchType.LPM: (Prefix, "a Prefix", lambda value: (value.value,)),
    MatchType.RANGE: (Range, "a Range", lambda value: (value.low, value.high)),
    MatchType.OPTIONAL: ((int, type(None)), "an integer or None", lambda value: () if value is None else (value,)),
}
"""Per kind of match: the types of its values, they in words, and the integers in one."""


def _word(field: Field, value: KeyValue) -> str:
    match value:
        case Ternary():
            return f"{value.value:#x}&{value.mask:#x}"
        case Prefix():
            return f"{_number(field, value.value)}/{value.length}"
        case Range():
            return f"{value.low}..{value.high}"
        case int():
            return _number(field, value)
        case None:
            return "any"
    return repr(value)


def _number(field: Field, value: int) -> str:
    digits = 2 * ((field.width + 7) // 8)
    return f"{value:#0{2 + digits}x}" if field.width >= _WIDE else str(value)
