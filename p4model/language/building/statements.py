"""Statements."""

from __future__ import annotations

from p4model.language.building.rules import Children, rule, split
from p4model.language.errors import Position
from p4model.language.syntax import statements


@rule("block")
def _block(position: Position, children: Children) -> statements.Block:
    _, body = split(children)
    return statements.Block(position, tuple(body))


@rule("empty")
def _empty(position: Position, children: Children) -> statements.Block:
    return statements.Block(position, ())


@rule("assignment")
def _assignment(position: Position, children: Children) -> statements.Assignment:
    return statements.Assignment(position, *children)


@rule("call_statement")
def _call_statement(position: Position, children: Children) -> statements.CallStatement:
    return statements.CallStatement(position, children[0])


@rule("direct_application")
def _direct_application(position: Position, children: Children) -> statements.DirectApplication:
    return statements.DirectApplication(position, str(children[0]), str(children[1]), children[2])


@rule("if")
def _if(position: Position, children: Children) -> statements.If:
    return statements.If(position, *children)


@rule("switch")
def _switch(position: Position, children: Children) -> statements.Switch:
    return statements.Switch(position, children[0], tuple(children[1:]))


@rule("switch_case")
def _switch_case(position: Position, children: Children) -> statements.SwitchCase:
    return statements.SwitchCase(position, *children)


@rule("default_label")
def _default_label(_: Position, children: Children) -> object:
    return None


@rule("return")
def _return(position: Position, children: Children) -> statements.Return:
    return statements.Return(position, children[0])


@rule("exit")
def _exit(position: Position, children: Children) -> statements.Exit:
    return statements.Exit(position)


@rule("variable")
def _variable(position: Position, children: Children) -> statements.VariableDeclaration:
    return statements.VariableDeclaration(position, *children)
