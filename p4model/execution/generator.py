"""What the parts of the translation share: the source, where variables are, what the function needs from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from p4model.execution.places import Compound, Place, Scalar, headers, scalars
from p4model.execution.source import Source
from p4model.execution.storage import State
from p4model.execution.undefined import Findings, Undefined
from p4model.language.semantics.expressions import CallExtern, CallMethod, Variable
from p4model.language.semantics.objects import ExternInstance, Table
from p4model.objects import CounterInfo, DigestInfo, RegisterInfo

Supply = Callable[[State, Findings], object]
"""Makes an object that the generated function uses, once its state is known."""


class ExternModel(Protocol):
    """How an extern object behaves: translates calls of its methods."""

    def info(self) -> CounterInfo | RegisterInfo | DigestInfo | None:
        """What the control plane sees of it."""

    def call(self, generator: Generator, call: CallMethod) -> Place | None:
        """Translate a call; the result is where its value is, None if it has none."""


MakeExtern = Callable[[ExternInstance, str], ExternModel]
"""Makes the model of an extern object that the control plane knows by a name; P4Error for arguments that are wrong."""


class Architecture(Protocol):
    """What an architecture adds to the language."""

    @property
    def externs(self) -> Mapping[str, MakeExtern]:
        """By the name of an extern type, what makes the model of an object."""

    def check(self, table: Table) -> None:
        """P4Error for a table that the architecture does not have."""

    def key_name(self, name: str) -> str:
        """The name towards the control plane of a key that P4_16 calls `name`."""

    def function(self, generator: Generator, call: CallExtern) -> Place | None:
        """Translate a call of an extern function; P4Error if there is none."""


CopyOut = Callable[["Generator"], None]
"""Translates the end of a call: a parameter's value goes to the argument."""


@dataclass(slots=True)
class Generator:
    """The state of a translation.

    Every control is translated where it is applied, so a variable is in one place at a time, and `places`, `models`
    and `tables` (names towards the control plane) are those of the instances that are being translated.
    """

    architecture: Architecture
    source: Source = field(default_factory=Source)
    places: dict[Variable, Place] = field(default_factory=dict)
    models: dict[ExternInstance | Variable, ExternModel] = field(default_factory=dict)
    instances: dict[tuple[str, ExternInstance], ExternModel] = field(default_factory=dict)
    tables: dict[Table, str] = field(default_factory=dict)
    applied: set[str] = field(default_factory=set)
    supplies: dict[str, Supply] = field(default_factory=dict)
    path: str = ""
    length: str = "length"
    """Name of the variable that holds the length of the frame, in bytes."""
    copies: list[list[CopyOut]] = field(default_factory=list)
    """What the calls that are being translated copy when they end, the outermost first."""
    returns: list[Place | None] = field(default_factory=list)
    """Where the functions that are being translated leave their results."""

    def supply(self, hint: str, make: Supply) -> str:
        """The name of an object from outside the generated function."""
        name = self.source.name(f"x_{hint}")
        self.supplies[name] = make
        return name

    def undefine(self, place: Place, *, valid: bool = False) -> None:
        """Take the value from a place: headers become invalid (or stay valid), scalars undefined."""
        cleared = [str(header.valid) for header in headers(place)]
        if cleared and not valid:
            self.source.line(" = ".join(cleared) + " = False")
        whats = {scalar.code: _missing(scalar, valid=valid) for scalar in scalars(place)}
        if not whats:
            return

        def make(_: State, findings: Findings) -> object:
            return tuple(Undefined(what, findings) for what in whats.values())

        name = self.supply("undefined", make)
        self.source.line(f"{', '.join(whats)}, = {name}")

    def object_name(self, name: str) -> str:
        """The name towards the control plane of an object of the control that is being translated."""
        return f"{self.path}.{name}" if self.path else name

    def store(self, place: Scalar, value: str) -> None:
        """Assign to a scalar; nothing happens within a header that is not valid."""
        if place.valid is None:
            self.source.line(f"{place.code} = {value}")
        else:
            self.source.line(f"if {place.valid}: {place.code} = {value}")

    def copy(self, target: Place, origin: Place) -> None:
        """Assign a whole value, validity included."""
        if isinstance(target, Scalar) and isinstance(origin, Scalar):
            self.store(target, origin.code)
        elif isinstance(target, Compound) and isinstance(origin, Compound):
            left = [scalar.code for scalar in scalars(target)] + [str(header.valid) for header in headers(target)]
            right = [scalar.code for scalar in scalars(origin)] + [str(header.valid) for header in headers(origin)]
            if left:
                self.source.line(f"{', '.join(left)}, = {', '.join(right)},")
        else:
            raise AssertionError((target, origin))


def _missing(scalar: Scalar, *, valid: bool) -> str:
    if scalar.valid is None or valid:
        return f"{scalar.shown}, which has no value yet"
    return f"{scalar.shown}, whose header is not valid"
