"""What one part of the file has to know of the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from pydantic import ValidationInfo

from fastpath.switch.network import Network
from slowpath.wire.endpoint import Endpoint


@dataclass(slots=True)
class Context:
    """Filled as sections are read: `Config` names them in such an order that each finds what it needs."""

    directory: Path
    """Of the configuration file: what files it names are relative to."""
    pools: list[str]
    """The names of all pools; known from the start, for listeners and pools refer to each other."""
    listeners: set[Endpoint] = field(default_factory=set)
    """The addresses of listeners, for the pools."""
    network: Network | None = None
    """Where a switch's ports lead, for everything that needs a route; None on a host, which has its own."""

    @classmethod
    def of(cls, info: ValidationInfo) -> Context:
        """The context of the validation that `info` is of."""
        return cast(Context, info.context)
