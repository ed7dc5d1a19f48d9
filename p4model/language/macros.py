"""Macros of the preprocessor: with and without parameters; `#` and `##` are refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from p4model.language.errors import P4Error, Position
from p4model.language.scanner import Kind, Token


@dataclass(frozen=True, slots=True)
class Macro:
    """What a name stands for; without parameters, `parameters` is None."""

    parameters: tuple[str, ...] | None
    body: tuple[Token, ...]


@dataclass(slots=True)
class Macros:
    """The macros that are defined at a point of a program."""

    _known: dict[str, Macro] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def define(self, position: Position, name: str, macro: Macro) -> None:
        """Give `name` a meaning; a second, different one raises P4Error."""
        if any(token.text in {"#", "##"} for token in macro.body):
            raise P4Error(position, f"macro {name} uses # or ##, which are not supported")
        known = self._known.get(name)
        if known is not None and (known.parameters, _texts(known)) != (macro.parameters, _texts(macro)):
            raise P4Error(position, f"macro {name} is defined already; use #undef first")
        self._known[name] = macro

    def undefine(self, name: str) -> None:
        """Forget `name`, defined or not."""
        self._known.pop(name, None)

    def expand(self, tokens: Sequence[Token], hidden: frozenset[str] = frozenset()) -> Iterator[Token]:
        """The tokens with every macro replaced; what comes from a macro is at the position of its use."""
        index = 0
        while index < len(tokens):
            token = tokens[index]
            index += 1
            macro = self._known.get(token.text) if token.kind is Kind.NAME and token.text not in hidden else None
            if macro is None:
                yield token
            elif macro.parameters is None:
                yield from self._replaced(token, macro.body, hidden)
            elif index < len(tokens) and tokens[index].text == "(":
                arguments, index = _arguments(token, tokens, index + 1)
                if len(arguments) != len(macro.parameters) and (arguments != [[]] or macro.parameters):
                    raise P4Error(
                        token.position,
                        f"macro {token.text} takes {len(macro.parameters)} arguments, not {len(arguments)}",
                    )
                given = {
                    name: list(self.expand(argument, hidden))
                    for name, argument in zip(macro.parameters, arguments, strict=False)
                }
                body = [part for inner in macro.body for part in given.get(inner.text, [inner])]
                yield from self._replaced(token, body, hidden)
            else:
                yield token

    def _replaced(self, use: Token, body: Sequence[Token], hidden: frozenset[str]) -> Iterator[Token]:
        for token in self.expand(body, hidden | {use.text}):
            yield token._replace(position=use.position)


def _texts(macro: Macro) -> list[str]:
    return [token.text for token in macro.body]


def _arguments(use: Token, tokens: Sequence[Token], index: int) -> tuple[list[list[Token]], int]:
    """The arguments of a use whose "(" is behind, and the index after its ")"."""
    arguments: list[list[Token]] = [[]]
    depth = 0
    for end in range(index, len(tokens)):
        token = tokens[end]
        if token.text == ")" and depth == 0:
            return arguments, end + 1
        if token.text == "," and depth == 0:
            arguments.append([])
            continue
        depth += (token.text == "(") - (token.text == ")")
        arguments[-1].append(token)
    raise P4Error(use.position, f"the arguments of macro {use.text} have no closing parenthesis")
