"""What the sections find: figures for tables, and curves over the number of connections."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter


@dataclass(slots=True)
class Figure:
    """A number with its unit; `wanted` says what it should be, if anything, and `note` where it comes from."""

    name: str
    value: float
    unit: str = ""
    wanted: str = ""
    note: str = ""

    @property
    def text(self) -> str:
        """The number, to about three digits."""
        if self.value == int(self.value) and abs(self.value) < 1e15:
            return f"{int(self.value):,}"
        digits = 0 if abs(self.value) >= 1000 else 1 if abs(self.value) >= 100 else 2 if abs(self.value) >= 1 else 3
        return f"{self.value:,.{digits}f}"


@dataclass(slots=True)
class Curve:
    """`values` over `connections`; curves of one `plot` share its axes."""

    plot: str
    unit: str
    name: str
    connections: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, connections: int, value: float) -> None:
        """One point more."""
        self.connections.append(connections)
        self.values.append(value)


@dataclass(slots=True)
class Findings:
    """What one section found."""

    title: str
    about: str
    figures: list[Figure] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)

    def add(self, name: str, value: float, unit: str = "", *, wanted: str = "", note: str = "") -> None:
        """One figure more."""
        self.figures.append(Figure(name, value, unit, wanted, note))

    def curve(self, plot: str, unit: str, name: str) -> Curve:
        """One curve more, without points yet."""
        curve = Curve(plot, unit, name)
        self.curves.append(curve)
        return curve


_FINDINGS = TypeAdapter(Findings)


def save(findings: Findings, path: Path) -> None:
    """Write to `path`, as JSON."""
    path.write_bytes(_FINDINGS.dump_json(findings, indent=1))


def load(path: Path) -> Findings:
    """Read what `save` has written."""
    return _FINDINGS.validate_json(path.read_bytes())
