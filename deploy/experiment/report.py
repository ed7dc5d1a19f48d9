"""What a run shows in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from deploy.experiment.measurement import Measurement, Mode
from deploy.experiment.results import MOST_SPREAD, Results
from deploy.experiment.size import label


def show(console: Console, results: Results, caption: str) -> None:
    """Print the table and the judgement."""
    table = Table(title="Packets per connection in the main namespace", caption=caption)
    for heading in ("response", "connections", *(f"{mode.value}{what}" for mode in Mode for what in ("", ", range"))):
        table.add_column(heading, justify="right")
    for transparent, balanced in zip(results.of(Mode.TRANSPARENT), results.of(Mode.BALANCED), strict=True):
        table.add_row(label(balanced.size), str(balanced.connections), *_cells(transparent), *_cells(balanced))
    console.print(table)
    spread = f"{results.spread:.2f} packets per connection between the sizes"
    if results.flat:
        console.print(f"The slow path's packets do not grow with the response: they differ by {spread}.", style="green")
    else:
        console.print(
            f"FAILED: the slow path's packets differ by {spread}; {MOST_SPREAD:g} is allowed", style="bold red"
        )


def _cells(row: Measurement) -> tuple[str, str]:
    counts = row.per_connection
    return f"{counts.mean:,.1f}", f"{counts.minimum:,}–{counts.maximum:,}"
