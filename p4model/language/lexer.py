"""Tokens as the grammar wants them: keywords, type names apart from other names, angle brackets, annotations.

P4_16's grammar is not context free in two places: whether a name is a type's, and whether `<` begins type arguments.
Both are settled here, from what the whole program declares.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from lark import Token as LarkToken

from p4model.language import scanner
from p4model.language.errors import P4Error, Position
from p4model.language.scanner import Kind

_TYPE_KEYWORDS = frozenset({"bit", "int", "bool", "error", "tuple", "varbit", "string", "void", "_"})
_GENERIC_KEYWORDS = frozenset({"bit", "int", "tuple", "varbit"})
_DECLARING = frozenset({"header", "struct", "package", "parser", "control", "extern"})
_UNSUPPORTED = frozenset({"varbit", "header_union", "value_set", "valueset"})
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_SIGNED = re.compile(r"\d+s")


def classify(tokens: Sequence[scanner.Token], literals: Mapping[str, str]) -> Iterator[LarkToken]:
    """The terminals of the grammar; `literals` maps spellings of fixed ones to their names.

    The `start_pos` of each is its index in `tokens`, which knows the position. Raises P4Error.
    """
    types = _TypeNames(tokens)
    open_brackets: list[str] = []
    index = 0
    while index < len(tokens):
        token = tokens[index]
        previous = tokens[index - 1].text if index else ""
        start = index
        index += 1
        text = token.text
        if text == "@":
            text, index = _annotation(tokens, index)
            name = "ANNOTATION"
        elif token.kind is Kind.NUMBER:
            name = "NUMBER"
        elif token.kind is Kind.STRING:
            name, text = "TEXT", text[1:-1]
        elif token.kind is Kind.NAME:
            name = _name(token, previous, types, start, literals)
        elif text == "<" and types.opens_arguments(start):
            name = "_LANGLE"
            open_brackets.append("<")
        elif text == ">" and open_brackets and open_brackets[-1] == "<":
            name = "_RANGLE"
            open_brackets.pop()
        elif text == ">" and index < len(tokens) and tokens[index].text == ">" and not tokens[index].spaced:
            name, text = "SHR", ">>"
            index += 1
        else:
            _balance(token, open_brackets)
            if text not in literals:
                raise P4Error(token.position, f"{text!r} is not expected in a program")
            name = literals[text]
        yield LarkToken(name, text, start_pos=start, line=token.position.line, column=token.position.column)


def _name(token: scanner.Token, previous: str, types: _TypeNames, index: int, literals: Mapping[str, str]) -> str:
    if previous == ".":
        return "NAME"
    if token.text in _UNSUPPORTED:
        raise P4Error(token.position, f"{token.text} is not supported")
    if token.text in literals:
        return literals[token.text]
    return "TYPE_NAME" if index in types and not types.declares(index) else "NAME"


def _annotation(tokens: Sequence[scanner.Token], index: int) -> tuple[str, int]:
    """An annotation whose "@" is behind: its spelling, and the index after it."""
    if index >= len(tokens) or tokens[index].kind is not Kind.NAME:
        raise P4Error(tokens[index - 1].position, "@ needs the name of an annotation")
    end = index + 1
    if end < len(tokens) and tokens[end].text in "([":
        depth = 0
        while True:
            if end >= len(tokens):
                raise P4Error(tokens[index].position, f"annotation @{tokens[index].text} is not closed")
            depth += (tokens[end].text in "([") - (tokens[end].text in ")]")
            end += 1
            if depth == 0:
                break
    return "".join(token.text for token in tokens[index:end]), end


def _balance(token: scanner.Token, open_brackets: list[str]) -> None:
    """Keep track of brackets, because a `>` within parentheses closes no type arguments."""
    if token.text in "([{":
        open_brackets.append(token.text)
    elif token.text in _BRACKETS:
        if not open_brackets or open_brackets[-1] != _BRACKETS[token.text]:
            raise P4Error(token.position, f"{token.text!r} closes nothing")
        open_brackets.pop()


class _TypeNames:
    """Which tokens are names of types: those that a declaration has made, and type parameters within theirs."""

    def __init__(self, tokens: Sequence[scanner.Token]) -> None:
        self._tokens = tokens
        self._texts = [token.text for token in tokens]
        self._global: dict[str, int] = {}
        for index in self._declared():
            self._global.setdefault(self._texts[index], index)
        end = len(self._texts)
        self._indexes = {index for index, text in enumerate(self._texts) if index >= self._global.get(text, end)}
        for start, end, names in self._parameters():
            self._indexes.update(index for index in range(start, end) if self._texts[index] in names)

    def __contains__(self, index: int) -> bool:
        return index in self._indexes

    def declares(self, index: int) -> bool:
        """Whether the token at `index` is the name of the type that is being declared."""
        before = self._texts[index - 1] if index else ""
        return before == "enum" or (before in _DECLARING and (before != "extern" or self._is_extern_type(index - 1)))

    def opens_arguments(self, index: int) -> bool:
        """Whether the `<` at `index` begins type arguments or parameters."""
        if index == 0 or index + 1 >= len(self._texts):
            return False
        before, after = index - 1, index + 1
        if before in self or self._texts[before] in _GENERIC_KEYWORDS:
            return True
        follows = after in self or self._texts[after] in _TYPE_KEYWORDS
        return self._tokens[before].kind is Kind.NAME and follows

    def _declared(self) -> Iterator[int]:
        """The indexes of the names that declarations of types give."""
        for index, text in enumerate(self._texts[:-1]):
            if text in _DECLARING and (text != "extern" or self._is_extern_type(index)):
                yield index + 1
            elif text == "enum":
                name = index + 1
                if self._texts[name] == "bit":
                    name = self._after_angles(name + 1)
                yield name
            elif text == "typedef" or (text == "type" and self._texts[index - 1] in {";", "}", ")"}):
                yield self._find(index, ";") - 1

    def _is_extern_type(self, index: int) -> bool:
        after = index + 2
        if self._texts[after] == "<":
            after = self._after_angles(after)
        return self._texts[after] == "{"

    def _parameters(self) -> Iterator[tuple[int, int, set[str]]]:
        """Start, end and names of each list of type parameters' scope."""
        extern_end = 0
        start_of_method = 0
        for index, text in enumerate(self._texts):
            if text in _DECLARING and index + 2 < len(self._texts):
                extern_type = text == "extern" and self._is_extern_type(index)
                if extern_type:
                    extern_end = self._end(index)
                if (text != "extern" or extern_type) and self._texts[index + 2] == "<":
                    yield index, self._end(index), self._names(index + 2)
            if text in {";", "{", "}"} or (text == "extern" and index >= extern_end):
                start_of_method = index
            elif text == "<" and self._declares_method(index, start_of_method, extern_end):
                yield start_of_method, self._find(index, ";"), self._names(index)

    def _declares_method(self, index: int, start: int, extern_end: int) -> bool:
        """Whether the `<` at `index` follows the name of a method or function that is being declared."""
        named = self._tokens[index - 1].kind is Kind.NAME and self._texts[index - 1] not in self._global
        within = index < extern_end or self._texts[start] == "extern"
        ends = self._texts[self._after_angles(index)] == "(" if named and within else False
        return ends and self._texts[index - 1] not in _GENERIC_KEYWORDS

    def _names(self, index: int) -> set[str]:
        return set(self._texts[index + 1 : self._after_angles(index) - 1]) - {","}

    def _after_angles(self, index: int) -> int:
        depth = 0
        for end in range(index, len(self._texts)):
            depth += (self._texts[end] == "<") - (self._texts[end] == ">")
            if depth == 0:
                return end + 1
        raise P4Error(self._position(index), "'<' is not closed")

    def _find(self, index: int, text: str) -> int:
        try:
            return self._texts.index(text, index)
        except ValueError:
            raise P4Error(self._position(index), f"no {text!r} ends this") from None

    def _end(self, index: int) -> int:
        """The end of the declaration that begins at `index`."""
        depth = 0
        for end in range(index, len(self._texts)):
            text = self._texts[end]
            depth += (text == "{") - (text == "}")
            if text in {";", "}"} and depth == 0:
                return end
        raise P4Error(self._position(index), "this declaration does not end")

    def _position(self, index: int) -> Position:
        return self._tokens[index].position
