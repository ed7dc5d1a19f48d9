"""What the splicing engine wants done after a batch; the driver does it in the order of the fields."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastpath.records import Flow
from slowpath.splicing.junction import Junction


@dataclass(slots=True)
class Outcome:
    """Work for the fast path, collected over a batch."""

    remove: list[Flow] = field(default_factory=list)
    """Records to remove, before anything is sent: a new connection may reuse the client's port."""
    frames: list[bytes] = field(default_factory=list)
    """Frames to inject that depend on no install."""
    install: list[Junction] = field(default_factory=list)
    """Junctions whose splice is to be installed; hand them to `Splicer.installed` or `Splicer.refused`."""
