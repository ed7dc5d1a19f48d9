"""Parsers and keysets."""

from __future__ import annotations

from p4model.language.building.rules import Children, rule, split
from p4model.language.errors import Position
from p4model.language.syntax import declarations, expressions


@rule("state")
def _state(position: Position, children: Children) -> declarations.State:
    _, (name, *body, transition) = split(children)
    return declarations.State(position, name, tuple(body), transition or "reject")


@rule("transition")
def _transition(_: Position, children: Children) -> object:
    return children[0]


@rule("select")
def _select(position: Position, children: Children) -> declarations.Select:
    return declarations.Select(position, children[0], tuple(children[1:]))


@rule("case")
def _case(_: Position, children: Children) -> object:
    return tuple(children)


@rule("keyset")
def _keyset(_: Position, children: Children) -> object:
    return children[0]


@rule("tuple_keyset")
def _tuple_keyset(position: Position, children: Children) -> expressions.TupleKeyset:
    return expressions.TupleKeyset(position, tuple(children))


@rule("mask")
def _mask(position: Position, children: Children) -> expressions.Mask:
    return expressions.Mask(position, *children)


@rule("range")
def _range(position: Position, children: Children) -> expressions.Range:
    return expressions.Range(position, *children)


@rule("any")
def _any(position: Position, children: Children) -> expressions.Anything:
    return expressions.Anything(position)
