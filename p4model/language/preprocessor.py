"""The preprocessor (P4_16 section 6.2): includes, conditions and macros, on tokens, so that positions stay true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from p4model.language import scanner
from p4model.language.conditions import evaluate
from p4model.language.errors import P4Error, Position
from p4model.language.macros import Macro, Macros
from p4model.language.numbers import parse_number
from p4model.language.scanner import Kind, Token
from p4model.language.spelling import unquoted

_MAX_DEPTH = 32


@dataclass(slots=True)
class _Branch:
    """An open #if: whether its lines count now, whether a branch counted already, and whether #else was seen."""

    opened: Position
    active: bool
    taken: bool
    outer: bool
    closed: bool = False


@dataclass(frozen=True, slots=True)
class _Shift:
    """Where the lines after a #line directive come from: `lines` is to be added to their numbers."""

    file: str
    lines: int

    @classmethod
    def of(cls, line: list[Token], at: Position) -> _Shift:
        """What a directive, which stands at `at`, says of the lines behind it; raises P4Error."""
        if [token.kind for token in line[2:]] not in ([Kind.NUMBER], [Kind.NUMBER, Kind.STRING]):
            raise P4Error(line[1].position, '#line takes a number, and "file" behind it')
        number, *name = line[2:]
        file = unquoted(name[0].text) if name else number.position.file
        return cls(file, parse_number(number.position, number.text)[0] - at.line - 1)

    def moved(self, tokens: list[Token]) -> list[Token]:
        """Tokens with the positions that they have there."""
        return [
            token._replace(position=Position(self.file, token.position.line + self.lines, token.position.column))
            for token in tokens
        ]


@dataclass(slots=True)
class Preprocessor:
    """Reads a program and what it includes.

    `include` are directories, searched in order for both forms of #include (the quoted one looks beside the
    including file first). `overlay` replaces the text of files by resolved path.
    """

    include: Sequence[Path]
    overlay: Mapping[Path, str] = field(default_factory=dict)
    macros: Macros = field(default_factory=Macros)
    _depth: int = 0

    def define(self, name: str, value: str) -> None:
        """As `-D name=value` of a compiler's command line."""
        position = Position("<command line>", 1, 1)
        body = [token for line in scanner.lines(value, position.file) for token in line]
        self.macros.define(position, name, Macro(None, tuple(body)))

    def file(self, path: Path, at: Position | None = None) -> Iterator[Token]:
        """The tokens of the file at `path`; raises P4Error where it cannot be read or is wrong."""
        text = self.overlay.get(path.resolve())
        if text is None:
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise P4Error(at or Position(str(path), 1, 1), f"cannot read {path}: {error}") from None
        yield from self.text(text, str(path))

    def text(self, text: str, name: str) -> Iterator[Token]:
        """The tokens of `text`, which messages call `name`."""
        branches: list[_Branch] = []
        pending: list[Token] = []
        shift: _Shift | None = None
        for scanned in scanner.lines(text, name):
            line = scanned if shift is None else shift.moved(scanned)
            if line and line[0].text == "#":
                yield from self.macros.expand(pending)
                pending = []
                if len(line) > 1 and line[1].text == "line":
                    shift = _Shift.of(line, scanned[0].position)
                else:
                    yield from self._directive(line, branches, name)
            elif not branches or branches[-1].active:
                pending.extend(_without_pragma(line))
        yield from self.macros.expand(pending)
        if branches:
            raise P4Error(branches[-1].opened, "this condition has no #endif")

    def _directive(self, line: list[Token], branches: list[_Branch], name: str) -> Iterator[Token]:
        if len(line) == 1:
            return
        directive, rest = line[1], line[2:]
        active = not branches or branches[-1].active
        match directive.text:
            case "if" | "ifdef" | "ifndef":
                holds = active and self._condition(directive, rest)
                branches.append(_Branch(directive.position, holds, holds, active))
            case "elif" | "else" | "endif":
                self._continue(directive, rest, branches)
            case _ if not active:
                pass
            case "define":
                self._define(directive, rest)
            case "undef":
                self.macros.undefine(_name(directive, rest).text)
            case "include":
                yield from self._include(directive, rest, name)
            case "error":
                raise P4Error(directive.position, "#error " + _spelled(rest))
            case "pragma":
                pass
            case other:
                raise P4Error(directive.position, f"#{other} is no directive")

    def _condition(self, directive: Token, rest: list[Token]) -> bool:
        if directive.text == "if":
            return evaluate(directive.position, rest, self.macros) != 0
        return (_name(directive, rest).text in self.macros) == (directive.text == "ifdef")

    def _continue(self, directive: Token, rest: list[Token], branches: list[_Branch]) -> None:
        if not branches or (branches[-1].closed and directive.text != "endif"):
            raise P4Error(directive.position, f"#{directive.text} without #if")
        branch = branches[-1]
        if directive.text == "endif":
            branches.pop()
            return
        branch.closed = directive.text == "else"
        may = branch.outer and not branch.taken
        branch.active = may and (branch.closed or evaluate(directive.position, rest, self.macros) != 0)
        branch.taken |= branch.active

    def _define(self, directive: Token, rest: list[Token]) -> None:
        name, body = _name(directive, rest), rest[1:]
        parameters: tuple[str, ...] | None = None
        if body and body[0].text == "(" and not body[0].spaced:
            closing = next((index for index, token in enumerate(body) if token.text == ")"), None)
            if closing is None:
                raise P4Error(name.position, f"the parameters of macro {name.text} have no closing parenthesis")
            parameters = tuple(token.text for token in body[1:closing] if token.text != ",")
            body = body[closing + 1 :]
        self.macros.define(name.position, name.text, Macro(parameters, tuple(body)))

    def _include(self, directive: Token, rest: list[Token], includer: str) -> Iterator[Token]:
        if rest and rest[0].kind is Kind.STRING:
            wanted, beside = rest[0].text[1:-1], [Path(includer).parent]
        elif len(rest) > 2 and rest[0].text == "<" and rest[-1].text == ">":
            wanted, beside = "".join(token.text for token in rest[1:-1]), []
        else:
            raise P4Error(directive.position, '#include takes "file" or <file>')
        for directory in [*beside, *self.include]:
            path = directory / wanted
            if path.is_file() or path.resolve() in self.overlay:
                break
        else:
            raise P4Error(directive.position, f"no file {wanted} in {_listed([*beside, *self.include])}")
        if self._depth == _MAX_DEPTH:
            raise P4Error(directive.position, f"{wanted} is included {_MAX_DEPTH} files deep: does it include itself?")
        self._depth += 1
        yield from self.file(path, directive.position)
        self._depth -= 1


def _without_pragma(line: list[Token]) -> list[Token]:
    """The line up to an `@pragma`, which lasts to the end of its line and only steers compilers."""
    for index in range(len(line) - 1):
        if line[index].text == "@" and line[index + 1].text == "pragma":
            return line[:index]
    return line


def _name(directive: Token, rest: list[Token]) -> Token:
    if not rest or rest[0].kind is not Kind.NAME:
        raise P4Error(directive.position, f"#{directive.text} needs a name")
    return rest[0]


def _spelled(tokens: list[Token]) -> str:
    return "".join((" " if token.spaced else "") + token.text for token in tokens).strip()


def _listed(directories: Sequence[Path]) -> str:
    return ", ".join(str(directory) for directory in directories) or "no directory at all"
