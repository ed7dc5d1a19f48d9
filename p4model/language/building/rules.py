"""Which function builds what a rule of the grammar found, and what those functions share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lark import Token

from p4model.language.errors import P4Error, Position
from p4model.language.syntax import expressions
from p4model.language.syntax.declarations import ActionDeclaration, TableDeclaration
from p4model.language.syntax.statements import Instantiation

Children = list[Any]
"""What the functions of the rules within a rule built, and tokens; None for what is left out."""

Build = Callable[[Position, Children], object]

RULES: dict[str, Build] = {}
"""By the name of the rule."""


def rule(*names: str) -> Callable[[Build], Build]:
    """Register a function for rules."""

    def register(build: Build) -> Build:
        RULES.update(dict.fromkeys(names, build))
        return build

    return register


def split(children: Children) -> tuple[dict[str, str], Children]:
    """The annotations by name, with the string that each has (or nothing), and the other children."""
    annotations: dict[str, str] = {}
    others: Children = []
    for child in children:
        if isinstance(child, Token) and child.type == "ANNOTATION":
            name, _, argument = str(child).partition("(")
            annotations[name] = argument.removesuffix(")").strip('"')
        else:
            others.append(child)
    return annotations, others


def with_name(declared: object, annotations: dict[str, str]) -> object:
    """What was declared, with the name that `@name` gives it towards the control plane."""
    named = Instantiation | ActionDeclaration | TableDeclaration
    if "name" not in annotations or not isinstance(declared, named):
        return declared
    return replace(declared, given_name=annotations["name"])


def present(children: Children) -> tuple[Any, ...]:
    """The children that are not left out."""
    return tuple(child for child in children if child is not None)


def only_expression(children: Children) -> expressions.Expression | None:
    """The one expression among the children, if there is one."""
    return next((child for child in children if isinstance(child, expressions.Expression)), None)


def refuse_generic(position: Position, name: str, type_parameters: tuple[str, ...]) -> None:
    """Refuse a declaration that may not have type parameters."""
    if type_parameters:
        raise P4Error(position, f"{name} has type parameters; only externs, packages and block types may have them")
