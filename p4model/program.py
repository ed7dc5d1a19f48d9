"""The entry: P4_16 source to a program that takes packets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import count
from pathlib import Path
from types import CodeType
from typing import cast

from p4model.execution.generator import Generator, Supply
from p4model.execution.storage import State
from p4model.execution.tna import pipeline as tna
from p4model.execution.undefined import Findings
from p4model.execution.v1model import pipeline as v1model
from p4model.language.checking.program import check
from p4model.language.errors import P4Error, Position
from p4model.language.parser import parse
from p4model.language.preprocessor import Preprocessor
from p4model.language.scanner import Token
from p4model.language.semantics.objects import CheckedProgram
from p4model.language.spelling import spelled
from p4model.objects import ProgramInfo

__all__ = [
    "Architecture",
    "P4Error",
    "Pipeline",
    "Program",
    "Result",
    "State",
    "compile_program",
    "compile_text",
    "preprocessed",
]

BUILT_IN = Path(__file__).with_name("include")
"""Where core.p4, tna.p4, t2na.p4 and v1model.p4 are; searched after all other directories."""

_TARGET = "__TARGET_TOFINO__"
_names = count(1)


class Architecture(Enum):
    """What a program is for, which its package `main` tells."""

    TNA = "tna"
    V1MODEL = "v1model"


_Generate = Callable[[CheckedProgram], tuple[Generator, ProgramInfo]]
_BY_PACKAGE: dict[str, tuple[Architecture, _Generate]] = {
    "Switch": (Architecture.TNA, tna.generate),
    "V1Switch": (Architecture.V1MODEL, v1model.generate),
}

_Process = Callable[[int, bytes], tuple[int | None, bytes | None, list[tuple[str, tuple[int, ...]]]]]


@dataclass(slots=True)
class Result:
    """What became of a packet.

    Attributes:
        outputs: Port and frame of each packet that leaves.
        digests: Name and members of each digest, in the order of the deparser.
        findings: Uses of undefined values and indexes beyond their ends, each as `file:line:column: what`.
    """

    outputs: list[tuple[int, bytes]]
    digests: list[tuple[str, tuple[int, ...]]]
    findings: list[str]


class Pipeline:
    """A program with its state; not for concurrent use."""

    def __init__(self, process: _Process, findings: Findings) -> None:
        self._process = process
        self._findings = findings

    def process(self, port: int, frame: bytes) -> Result:
        """Take a frame that arrives at `port` (0 to 511) through ingress, and egress unless that is bypassed."""
        egress_port, data, digests = self._process(port, frame)
        outputs = [] if egress_port is None or data is None else [(egress_port, data)]
        return Result(outputs, digests, self._findings.take())


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled program."""

    info: ProgramInfo
    architecture: Architecture
    source: str
    """The generated Python, for those who want to read it."""
    _code: CodeType
    _name: str
    _positions: Sequence[Position]
    _supplies: Mapping[str, Supply]

    def pipeline(self, state: State) -> Pipeline:
        """The program running on `state`."""
        findings = Findings(self._name, self._positions)
        namespace: dict[str, object] = {"from_bytes": int.from_bytes}
        namespace.update({name: make(state, findings) for name, make in self._supplies.items()})
        exec(self._code, namespace)  # noqa: S102 - generated here
        return Pipeline(cast(_Process, namespace["process"]), findings)


def compile_program(
    source: Path,
    *,
    include: Sequence[Path] = (),
    defines: Mapping[str, str] | None = None,
    overlay: Mapping[Path, str] | None = None,
) -> Program:
    """Compile the program in a file.

    Args:
        source: The main file.
        include: Directories of #include, in order; those of core.p4 and the architectures come last.
        defines: Macros; `__TARGET_TOFINO__` is 1 unless it is given.
        overlay: Text in place of that of files, by path.

    Raises P4Error, whose message begins with file:line:column.
    """
    preprocessor = _preprocessor(include, defines, overlay)
    return _compile(preprocessor.file(source))


def compile_text(
    text: str,
    *,
    name: str = "<text>",
    include: Sequence[Path] = (),
    defines: Mapping[str, str] | None = None,
    overlay: Mapping[Path, str] | None = None,
) -> Program:
    """Compile a program from its text, which messages call `name`; the rest is as for `compile_program`."""
    preprocessor = _preprocessor(include, defines, overlay)
    return _compile(preprocessor.text(text, name))


def preprocessed(
    source: Path,
    *,
    include: Sequence[Path] = (),
    defines: Mapping[str, str] | None = None,
    overlay: Mapping[Path, str] | None = None,
) -> str:
    """The program in a file as one text, which needs no other file; the arguments are as for `compile_program`.

    Its #line directives make `compile_text` report the positions of the original files. Raises P4Error.
    """
    return spelled(_preprocessor(include, defines, overlay).file(source))


def _preprocessor(
    include: Sequence[Path], defines: Mapping[str, str] | None, overlay: Mapping[Path, str] | None
) -> Preprocessor:
    texts = {path.resolve(): text for path, text in (overlay or {}).items()}
    preprocessor = Preprocessor([*include, BUILT_IN], texts)
    for name, value in {_TARGET: "1", **(defines or {})}.items():
        preprocessor.define(name, value)
    return preprocessor


def _compile(tokens: Iterator[Token]) -> Program:
    checked = check(parse(tokens))
    if checked.main.package not in _BY_PACKAGE:
        packages = " and ".join(_BY_PACKAGE)
        raise P4Error(checked.main.position, f"main is a {checked.main.package}; {packages} are supported")
    architecture, generate = _BY_PACKAGE[checked.main.package]
    generator, info = generate(checked)
    name = f"<p4 program {next(_names)}>"
    text = generator.source.text()
    code = compile(text, name, "exec")
    return Program(info, architecture, text, code, name, generator.source.positions, generator.supplies)
