"""Where values live: every scalar of a program is a local variable of the generated function."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from p4model.execution.source import Source
from p4model.language.semantics import types
from p4model.language.semantics.types import Type


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number or truth: the Python name (or constant), and the validity of the header that it belongs to."""

    code: str
    type: Type
    shown: str
    valid: str | None = None


@dataclass(frozen=True, slots=True)
class Compound:
    """A header, struct, tuple or header stack; `valid` is the Python name of a header's validity."""

    type: Type
    shown: str
    parts: dict[str, Place]
    valid: str | None = None


Place = Scalar | Compound


def allocate(source: Source, kind: Type, shown: str) -> Place:
    """New Python names for a value; `shown` is how the program calls it."""
    match kind:
        case types.Header(fields=fields):
            valid = source.name(f"{shown}_valid")
            parts: dict[str, Place] = {
                field.name: Scalar(source.name(f"{shown}.{field.name}"), field.type, f"{shown}.{field.name}", valid)
                for field in fields
            }
            return Compound(kind, shown, parts, valid)
        case types.Struct(fields=fields):
            inner = {field.name: allocate(source, field.type, f"{shown}.{field.name}") for field in fields}
            return Compound(kind, shown, inner)
        case types.Tuple(elements=elements):
            inner = {str(n): allocate(source, element, f"{shown}[{n}]") for n, element in enumerate(elements)}
            return Compound(kind, shown, inner)
        case types.Stack(element=element, size=size):
            inner = {str(n): allocate(source, element, f"{shown}[{n}]") for n in range(size)}
            return Compound(kind, shown, inner)
    return Scalar(source.name(shown), kind, shown)


def scalars(place: Place) -> Iterator[Scalar]:
    """All scalars of a place, in order."""
    if isinstance(place, Scalar):
        yield place
    else:
        for part in place.parts.values():
            yield from scalars(part)


def headers(place: Place) -> Iterator[Compound]:
    """All headers of a place, in order."""
    if isinstance(place, Compound):
        if place.valid is not None:
            yield place
        else:
            for part in place.parts.values():
                yield from headers(part)


def values(place: Place) -> str:
    """A Python tuple of all scalars in order; one that has no value is reported here, not where the tuple is used."""
    return f"({''.join(f'+{scalar.code}, ' for scalar in scalars(place))})"


def names(place: Place) -> list[str]:
    """The Python names of a place: scalars, then validities."""
    return [scalar.code for scalar in scalars(place)] + [str(header.valid) for header in headers(place)]
