"""The programmable blocks that an architecture puts together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from p4model.execution import calls
from p4model.execution.generator import Generator
from p4model.execution.statements import ProgramExit
from p4model.execution.walk import nodes
from p4model.language.errors import P4Error
from p4model.language.semantics import expressions as ir
from p4model.language.semantics import objects, statements
from p4model.language.semantics.types import Type


class Blocks:
    """The blocks of a package by the names of its parameters."""

    def __init__(self, package: objects.PackageInstance) -> None:
        self._arguments: Mapping[str, object] = package.arguments

    def parser(self, name: str) -> objects.Parser:
        """A parser."""
        found = self._arguments[name]
        assert isinstance(found, objects.Parser)
        return found

    def control(self, name: str) -> objects.Control:
        """A control."""
        found = self._arguments[name]
        assert isinstance(found, objects.Control)
        return found

    def refuse_requests(self, is_metadata: Callable[[Type], bool], fields: Collection[str]) -> None:
        """Raise P4Error for an assignment to these fields of the architecture's metadata, but for one of zero."""
        for node in nodes(list(self._arguments.values())):
            if isinstance(node, statements.Assign) and isinstance(node.target, ir.FieldOf):
                kind, name = node.target.base.type, node.target.name
                zero = isinstance(node.value, ir.Constant) and node.value.value == 0
                if is_metadata(kind) and name in fields and not zero:
                    raise P4Error(node.position, f"{name} of {kind} is not modelled")


def translate(generator: Generator, control: objects.Control) -> None:
    """Translate a control whose parameters are in place; `exit` ends it, and nothing else."""
    generator.path = control.name
    if not any(isinstance(node, statements.Exit) for node in nodes(control)):
        calls.control_body(generator, control)
        return
    with generator.source.block("try"):
        calls.control_body(generator, control)
    name = generator.supply("exit", lambda state, findings: ProgramExit)
    generator.source.line(f"except {name}: pass")


def reads(block: objects.Parser | objects.Control, field: str, is_metadata: Callable[[Type], bool]) -> bool:
    """Whether a block names a field of the architecture's metadata."""
    return any(
        isinstance(node, ir.FieldOf) and node.name == field and is_metadata(node.base.type) for node in nodes(block)
    )
