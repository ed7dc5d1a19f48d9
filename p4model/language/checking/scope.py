"""What names mean where (P4_16 section 6.10)."""

from __future__ import annotations

from dataclasses import dataclass, field

from p4model.language.errors import P4Error, Position
from p4model.language.semantics.expressions import Constant, Variable
from p4model.language.semantics.objects import (
    Action,
    Control,
    ControlInstance,
    ExternInstance,
    Function,
    PackageInstance,
    Parser,
    Table,
)
from p4model.language.semantics.types import Type
from p4model.language.syntax.declarations import BlockType, ExternDeclaration, ExternFunction

Meaning = (
    Variable
    | Constant
    | Action
    | Control
    | ControlInstance
    | ExternInstance
    | Function
    | PackageInstance
    | Parser
    | Table
    | ExternFunction
)
TypeMeaning = Type | ExternDeclaration | BlockType | Control | Parser


@dataclass(slots=True)
class Scope:
    """A scope within others. Types and other names are apart, as their tokens are."""

    parent: Scope | None = None
    names: dict[str, Meaning] = field(default_factory=dict)
    types: dict[str, TypeMeaning] = field(default_factory=dict)

    def declare(self, position: Position, name: str, meaning: Meaning) -> None:
        """Give a name its meaning here; P4Error if it has one."""
        if name in self.names:
            raise P4Error(position, f"{name} is declared already in this scope")
        self.names[name] = meaning

    def declare_type(self, position: Position, name: str, meaning: TypeMeaning) -> None:
        """Give a type name its meaning here; P4Error if it has one."""
        if name in self.types:
            raise P4Error(position, f"type {name} is declared already")
        self.types[name] = meaning

    def find(self, position: Position, name: str) -> Meaning:
        """The innermost meaning; P4Error if there is none."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        raise P4Error(position, f"{name} is not declared")

    def find_type(self, position: Position, name: str) -> TypeMeaning:
        """The innermost type; P4Error if there is none."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.types:
                return scope.types[name]
            scope = scope.parent
        raise P4Error(position, f"type {name} is not declared before it is used")

    def inner(self) -> Scope:
        """A new scope within this one."""
        return Scope(self)
