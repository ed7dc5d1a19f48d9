"""From a device configuration to a program."""

from __future__ import annotations

from p4model.language.errors import P4Error, Position
from p4model.program import Architecture, Program, compile_text

_NAME = "p4_device_config"


def compile_v1model(text: str, name: str = _NAME) -> Program:
    """The program of a preprocessed source (`p4model.program.preprocessed`), which messages call `name`.

    Raises P4Error, also for a program of another architecture.
    """
    program = compile_text(text, name=name)
    if program.architecture is not Architecture.V1MODEL:
        architecture = program.architecture.value
        raise P4Error(Position(name, 1, 1), f"the program is for {architecture}; P4Runtime is served for v1model only")
    return program
