"""Source text to syntax tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import resources

from lark import Lark, Transformer, Tree, UnexpectedToken
from lark import Token as LarkToken
from lark.exceptions import VisitError
from lark.lexer import Lexer, PatternStr

from p4model.language import lexer, scanner
from p4model.language.building import RULES
from p4model.language.errors import P4Error
from p4model.language.scanner import Kind
from p4model.language.syntax.declarations import ProgramSyntax

_SHOWN = 8
_AFTER_A_TYPE = frozenset({"NAME", "_LANGLE"})


def parse(tokens: Iterable[scanner.Token]) -> ProgramSyntax:
    """The syntax tree of a preprocessed program; raises P4Error with the position of the first token that is wrong."""
    listed = list(tokens)
    grammar = _grammar()
    literals = {
        terminal.pattern.value: terminal.name
        for terminal in grammar.terminals
        if isinstance(terminal.pattern, PatternStr)
    }
    try:
        tree = grammar.parse(list(lexer.classify(listed, literals)))
    except UnexpectedToken as error:
        raise _unexpected(error, listed, {name: text for text, name in literals.items()}) from None
    try:
        program = _Builder(listed).transform(tree)
    except VisitError as error:
        raise error.orig_exc from None
    if not isinstance(program, ProgramSyntax):
        raise AssertionError(program)
    return program


class _Builder(Transformer[LarkToken, object]):
    """Builds the syntax tree; the tokens give the positions."""

    def __init__(self, tokens: Sequence[scanner.Token]) -> None:
        super().__init__()
        self._tokens = tokens

    def _call_userfunc(self, tree: Tree[LarkToken], new_children: list[object] | None = None) -> object:
        """Call the rule's function; what is empty has no position of its own."""
        start = 0 if tree.meta.empty else tree.meta.start_pos
        children = tree.children if new_children is None else new_children
        return RULES[tree.data](self._tokens[start].position, children)


class _TokenLexer(Lexer):
    """Hands the classified tokens through."""

    def __init__(self, configuration: object) -> None:
        pass

    def lex(self, tokens: Sequence[LarkToken]) -> Iterator[LarkToken]:  # type: ignore[override]
        return iter(tokens)


@cache
def _grammar() -> Lark:
    text = resources.files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer=_TokenLexer, propagate_positions=True, maybe_placeholders=True)


def _unexpected(error: UnexpectedToken, tokens: list[scanner.Token], spelled: dict[str, str]) -> P4Error:
    token, index = error.token, error.token.start_pos or 0
    if token.type == "$END":
        return P4Error(tokens[-1].position, "the program ends within a declaration")
    if token.type == "NAME" and "TYPE_NAME" in error.expected:
        return P4Error(tokens[index].position, f"type {token} is not declared")
    before = tokens[index - 1]
    if index and before.kind is Kind.NAME and before.text not in spelled.values() and token.type in _AFTER_A_TYPE:
        return P4Error(before.position, f"type {before.text} is not declared")
    spelled = {**spelled, "_LANGLE": "<", "_RANGLE": ">", "SHR": ">>"}
    names = sorted(repr(spelled[name]) if name in spelled else name.lower() for name in error.accepts or error.expected)
    wanted = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    kind = "type " if token.type == "TYPE_NAME" else ""
    return P4Error(tokens[index].position, f"{kind}{str(token)!r} is not expected here, but {wanted}")
