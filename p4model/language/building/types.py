"""Types."""

from __future__ import annotations

from p4model.language.building.rules import Children, only_expression, rule
from p4model.language.errors import Position
from p4model.language.syntax import types


@rule("named_type")
def _named_type(position: Position, children: Children) -> types.NamedType:
    return types.NamedType(position, str(children[0]), children[1])


@rule("type_arguments")
def _type_arguments(_: Position, children: Children) -> object:
    return tuple(children)


@rule("bit_type")
def _bit_type(position: Position, children: Children) -> types.BitType:
    return types.BitType(position, only_expression(children))


@rule("int_type")
def _int_type(position: Position, children: Children) -> types.IntType:
    return types.IntType(position, only_expression(children))


@rule("bool_type")
def _bool_type(position: Position, children: Children) -> types.SimpleType:
    return types.SimpleType(position, "bool")


@rule("error_type")
def _error_type(position: Position, children: Children) -> types.SimpleType:
    return types.SimpleType(position, "error")


@rule("string_type")
def _string_type(position: Position, children: Children) -> types.SimpleType:
    return types.SimpleType(position, "string")


@rule("void_type")
def _void_type(position: Position, children: Children) -> types.SimpleType:
    return types.SimpleType(position, "void")


@rule("dont_care_type")
def _dont_care_type(position: Position, children: Children) -> types.SimpleType:
    return types.SimpleType(position, "_")


@rule("tuple_type")
def _tuple_type(position: Position, children: Children) -> types.TupleType:
    return types.TupleType(position, tuple(children))


@rule("stack_type")
def _stack_type(position: Position, children: Children) -> types.StackType:
    return types.StackType(position, children[0], children[1])
