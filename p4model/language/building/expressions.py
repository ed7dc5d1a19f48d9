"""Expressions."""

from __future__ import annotations

from p4model.language.building.rules import Children, present, rule
from p4model.language.errors import P4Error, Position
from p4model.language.numbers import parse_number
from p4model.language.syntax import expressions


@rule("expressions", "arguments")
def _expressions(_: Position, children: Children) -> object:
    return present(children)


@rule("argument")
def _argument(position: Position, children: Children) -> expressions.Argument:
    return expressions.Argument(position, None, children[0])


@rule("named_argument")
def _named_argument(position: Position, children: Children) -> expressions.Argument:
    return expressions.Argument(position, str(children[0]), children[1])


@rule("absent_argument")
def _absent_argument(position: Position, children: Children) -> expressions.Argument:
    return expressions.Argument(position, None, None)


@rule("conditional")
def _conditional(position: Position, children: Children) -> expressions.Conditional:
    return expressions.Conditional(position, *children)


@rule("binary")
def _binary(position: Position, children: Children) -> expressions.Binary:
    left, operator, right = children
    return expressions.Binary(position, str(operator), left, right)


@rule("unary_operation")
def _unary_operation(position: Position, children: Children) -> expressions.Unary:
    return expressions.Unary(position, str(children[0]), children[1])


@rule("cast")
def _cast(position: Position, children: Children) -> expressions.Cast:
    return expressions.Cast(position, *children)


@rule("number")
def _number(position: Position, children: Children) -> expressions.Number:
    return expressions.Number(position, *parse_number(position, str(children[0])))


@rule("true")
def _true(position: Position, children: Children) -> expressions.Truth:
    return expressions.Truth(position, value=True)


@rule("false")
def _false(position: Position, children: Children) -> expressions.Truth:
    return expressions.Truth(position, value=False)


@rule("this")
def _this(position: Position, children: Children) -> None:
    raise P4Error(position, "this is not supported")


@rule("string")
def _string(position: Position, children: Children) -> expressions.Text:
    return expressions.Text(position, str(children[0]))


@rule("reference")
def _reference(position: Position, children: Children) -> expressions.Name:
    return expressions.Name(position, children[0])


@rule("member")
def _member(position: Position, children: Children) -> expressions.Member:
    return expressions.Member(position, children[0], str(children[1]))


@rule("index")
def _index(position: Position, children: Children) -> expressions.Index:
    return expressions.Index(position, *children)


@rule("slice")
def _slice(position: Position, children: Children) -> expressions.Slice:
    return expressions.Slice(position, *children)


@rule("call")
def _call(position: Position, children: Children) -> expressions.Call:
    return expressions.Call(position, *children)


@rule("construction")
def _construction(position: Position, children: Children) -> expressions.Construction:
    return expressions.Construction(position, *children)


@rule("list")
def _list(position: Position, children: Children) -> expressions.ListExpression:
    return expressions.ListExpression(position, children[0] or ())


@rule("record")
def _record(position: Position, children: Children) -> expressions.Record:
    return expressions.Record(position, present(children))


@rule("record_field")
def _record_field(_: Position, children: Children) -> object:
    return str(children[0]), children[1]


@rule("enum_value")
def _enum_value(position: Position, children: Children) -> expressions.TypeMember:
    return expressions.TypeMember(position, str(children[0]), str(children[1]))


@rule("error_value")
def _error_value(position: Position, children: Children) -> expressions.TypeMember:
    return expressions.TypeMember(position, "error", str(children[0]))
