"""Types (P4_16 section 7)."""

from __future__ import annotations

from dataclasses import dataclass


class Type:
    """Any type; two of the same meaning are equal, and `str` is how P4 writes them."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Bit(Type):
    """`bit<width>`, an unsigned number."""

    width: int

    def __str__(self) -> str:
        return f"bit<{self.width}>"


@dataclass(frozen=True, slots=True)
class Simple(Type):
    """A type that its name tells all about; the module's constants are the only ones."""

    name: str

    def __str__(self) -> str:
        return self.name


INTEGER = Simple("int")
"""Of arbitrary precision: constants only."""
BOOLEAN = Simple("bool")
ERROR = Simple("error")
STRING = Simple("string")
VOID = Simple("void")
ANY = Simple("_")


@dataclass(frozen=True, slots=True)
class Variable(Type):
    """A type parameter within what it parameterises."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Enum(Type):
    """`enum`: a value is the index of its member."""

    name: str
    members: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class SerializableEnum(Type):
    """`enum bit<width>`: a value is its member's number."""

    name: str
    base: Bit
    members: tuple[tuple[str, int], ...]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class New(Type):
    """`type base name`: as `base`, but without implicit casts."""

    name: str
    base: Type

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a header or struct."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Header(Type):
    """`header`: fields in the order of the wire, and a validity bit."""

    name: str
    fields: tuple[Field, ...]

    def __str__(self) -> str:
        return self.name

    @property
    def width(self) -> int:
        """Bits on the wire."""
        return sum(width(field.type) for field in self.fields)


@dataclass(frozen=True, slots=True)
class Struct(Type):
    """`struct`."""

    name: str
    fields: tuple[Field, ...]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Tuple(Type):
    """`tuple<...>`, and what a list expression has."""

    elements: tuple[Type, ...]

    def __str__(self) -> str:
        return f"tuple<{', '.join(str(element) for element in self.elements)}>"


@dataclass(frozen=True, slots=True)
class Stack(Type):
    """A header stack."""

    element: Header
    size: int

    def __str__(self) -> str:
        return f"{self.element}[{self.size}]"


@dataclass(frozen=True, slots=True)
class Extern(Type):
    """An extern type with its arguments."""

    name: str
    arguments: tuple[Type, ...] = ()

    def __str__(self) -> str:
        return self.name + (f"<{', '.join(str(argument) for argument in self.arguments)}>" if self.arguments else "")


@dataclass(frozen=True, slots=True)
class Block(Type):
    """A parser, control or package."""

    name: str

    def __str__(self) -> str:
        return self.name


def width(kind: Type) -> int:
    """Bits of a value of a scalar type, or of all scalars of a compound one in order."""
    match kind:
        case Bit():
            return kind.width
        case SerializableEnum() | New():
            return width(kind.base)
        case Header() | Struct():
            return sum(width(field.type) for field in kind.fields)
        case Tuple():
            return sum(width(element) for element in kind.elements)
        case Stack():
            return kind.size * kind.element.width
        case Enum() | Simple(name="error"):
            return 32
        case Simple(name="bool"):
            return 1
    raise ValueError(f"{kind} has no width")


def underlying(kind: Type) -> Type:
    """The type that values of `kind` are computed with: without `type`, serializable enums as their numbers."""
    while isinstance(kind, New | SerializableEnum):
        kind = kind.base
    return kind


def field_type(kind: Type, name: str) -> Type | None:
    """The type of a field, None if there is none of this name."""
    if not isinstance(kind, Header | Struct):
        return None
    return next((field.type for field in kind.fields if field.name == name), None)
