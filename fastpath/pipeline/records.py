"""A splice as the switch holds it: one entry by its digest, or two by full addresses and ports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from fastpath.interface import Closed
from fastpath.pipeline.ending import Ending
from fastpath.pipeline.paths import Path
from fastpath.pipeline.rows import CONNECTIONS, OVERRIDES, Action, Key
from fastpath.pipeline.surroundings import endpoint
from fastpath.records import Direction, Splice, Tuple4

Prefix = bytes
"""The first three bytes of an IPv4 address."""


@dataclass(slots=True, eq=False)
class Record:
    """A splice and where it is: under `digest` in `connections`, or, where that is None, in `overrides`."""

    splice: Splice
    path: int
    digest: int | None
    hashes: tuple[int, ...]
    """The digests of its packets, one or two: those toward the server and toward the client may differ. Their
    `seen` bits show that it is in use."""
    charged: Prefix | None = None
    """The clients on whose account it is in `overrides`."""
    ending: Ending = field(default_factory=Ending)
    last_seen: float = 0.0
    """In seconds: when it was installed, or a sweep last found it in use."""

    @property
    def through(self) -> Path:
        """The path that `path` is the number of."""
        return Path(self.splice.flow.vip, self.splice.server, self.splice.server_id)

    @property
    def replies(self) -> Tuple4:
        """What the packets of its server carry."""
        return Tuple4(self.splice.server, self.splice.source)

    def rows(self) -> Iterator[tuple[Key, Action]]:
        """Its entries."""
        splice, number = self.splice, self.path
        pivot = int(splice.pivot is not None)
        if self.digest is not None:
            yield (CONNECTIONS, (self.digest,)), ("spliced", (splice.delta, pivot, number))
            return
        client, vip = endpoint(splice.flow.client), endpoint(splice.flow.vip)
        server, source = endpoint(splice.server), endpoint(splice.source)
        yield (OVERRIDES, (*client, *vip)), ("to_server", (splice.delta, pivot, number, *source))
        yield (OVERRIDES, (*server, *source)), ("to_client", (splice.delta, number, *client))

    def ended(self, direction: Direction, flags: int) -> list[Closed]:
        """What there is to report of a packet with these TCP flags that was translated, and was not yet."""
        return [
            Closed(self.splice.flow, reset, direction if reset else None)
            for reset in self.ending.note(direction, flags)
        ]
