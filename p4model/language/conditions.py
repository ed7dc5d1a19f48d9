"""Expressions of #if and #elif: C's integer operators, `defined`, and 0 for every other name."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from p4model.language.errors import P4Error, Position
from p4model.language.macros import Macros
from p4model.language.numbers import parse_number
from p4model.language.scanner import Kind, Token

_LEVELS: tuple[dict[str, Callable[[int, int], int]], ...] = (
    {"||": lambda left, right: int(bool(left) or bool(right))},
    {"&&": lambda left, right: int(bool(left) and bool(right))},
    {"|": operator.or_},
    {"^": operator.xor},
    {"&": operator.and_},
    {"==": operator.eq, "!=": operator.ne},
    {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge},
    {"<<": operator.lshift, ">>": operator.rshift},
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": operator.floordiv, "%": operator.mod},
)
_UNARY: dict[str, Callable[[int], int]] = {
    "!": lambda value: int(not value),
    "-": operator.neg,
    "+": operator.pos,
    "~": operator.invert,
}


def evaluate(position: Position, tokens: list[Token], macros: Macros) -> int:
    """The value of a condition; raises P4Error where it is none."""
    expanded = list(macros.expand(list(_resolve_defined(position, tokens, macros))))
    condition = _Condition(position, expanded)
    value = condition.binary(0)
    if condition.at != len(expanded):
        raise P4Error(expanded[condition.at].position, f"{expanded[condition.at].text!r} is not expected here")
    return value


def _resolve_defined(position: Position, tokens: list[Token], macros: Macros) -> Iterator[Token]:
    index = 0
    while index < len(tokens):
        token = tokens[index]
        index += 1
        if token.text != "defined":
            yield token
            continue
        bracketed = index < len(tokens) and tokens[index].text == "("
        index += bracketed
        if index >= len(tokens):
            raise P4Error(position, "defined needs a name")
        yield Token(Kind.NUMBER, str(int(tokens[index].text in macros)), token.position, spaced=True)
        index += 1 + bracketed


@dataclass(slots=True)
class _Condition:
    """A parser by precedence climbing."""

    position: Position
    tokens: list[Token]
    at: int = 0

    def binary(self, level: int) -> int:
        if level == len(_LEVELS):
            return self.unary()
        value = self.binary(level + 1)
        while (symbol := self._symbol()) in _LEVELS[level]:
            self.at += 2 if symbol == ">>" else 1
            right = self.binary(level + 1)
            if symbol in {"/", "%"} and right == 0:
                raise P4Error(self.position, "division by zero")
            value = int(_LEVELS[level][symbol](value, right))
        return value

    def unary(self) -> int:
        if self.at >= len(self.tokens):
            raise P4Error(self.position, "the condition ends too early")
        token = self.tokens[self.at]
        self.at += 1
        if token.text in _UNARY:
            return _UNARY[token.text](self.unary())
        if token.text == "(":
            value = self.binary(0)
            if self._symbol() != ")":
                raise P4Error(token.position, "no closing parenthesis")
            self.at += 1
            return value
        if token.kind is Kind.NUMBER:
            return parse_number(token.position, token.text)[0]
        if token.kind is Kind.NAME:
            return 0
        raise P4Error(token.position, f"{token.text!r} is not expected here")

    def _symbol(self) -> str:
        """The operator here; two adjacent `>` are one shift."""
        if self.at >= len(self.tokens):
            return ""
        text = self.tokens[self.at].text
        if text == ">" and self.at + 1 < len(self.tokens):
            after = self.tokens[self.at + 1]
            if after.text == ">" and not after.spaced:
                return ">>"
        return text
