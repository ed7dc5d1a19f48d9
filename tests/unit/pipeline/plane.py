"""What the program makes of the tables of connections, on rows: the lookups of a packet, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from fastpath.pipeline.digest import digest
from fastpath.pipeline.rows import Action, Key
from fastpath.pipeline.surroundings import endpoint
from fastpath.records import Direction, Splice, Tuple4
from slowpath.wire.endpoint import Endpoint


class Rewrite(NamedTuple):
    """How a packet leaves."""

    direction: Direction
    leaves: Tuple4
    delta: int
    pivot: bool


@dataclass(frozen=True)
class Plane:
    """The tables; `bits` is the width of a digest."""

    rows: Mapping[Key, Action]
    bits: int

    def process(self, packet: Tuple4) -> Rewrite | None:
        """What happens to a packet; None if no record is found."""
        source, destination = packet
        to_server = self.rows.get(("vips", endpoint(destination)))
        to_client = self.rows.get(("servers", endpoint(source)))
        override = self.rows.get(("overrides", (*endpoint(source), *endpoint(destination))))
        if override is not None:
            return self._override(packet, override)
        if to_server is not None:
            return self._spliced(packet, Direction.TO_SERVER, source, to_server[1][0])
        if to_client is not None:
            return self._spliced(packet, Direction.TO_CLIENT, destination, to_client[1][0])
        return None

    def _override(self, packet: Tuple4, override: Action) -> Rewrite | None:
        name, arguments = override
        if name == "to_server":
            delta, pivot, path, address, port = arguments
            return self._sent(packet, Direction.TO_SERVER, path, delta, bool(pivot), _endpoint(address, port))
        delta, path, address, port = arguments
        return self._sent(packet, Direction.TO_CLIENT, path, delta, False, _endpoint(address, port))

    def _spliced(self, packet: Tuple4, direction: Direction, client: Endpoint, group: int) -> Rewrite | None:
        found = self.rows.get(("connections", (digest(client, group, self.bits),)))
        if found is None:
            return None
        delta, pivot, path = found[1]
        return self._sent(packet, direction, path, delta, bool(pivot), client)

    def _sent(
        self, packet: Tuple4, direction: Direction, path: int, delta: int, pivot: bool, client: Endpoint
    ) -> Rewrite | None:
        to_server = direction is Direction.TO_SERVER
        table, own = ("paths_to_server", packet.destination) if to_server else ("paths_to_client", packet.source)
        found = self.rows.get((table, (path, *endpoint(own))))
        if found is None:
            return None
        other = _endpoint(*found[1][:2])
        leaves = Tuple4(client, other) if to_server else Tuple4(other, client)
        return Rewrite(direction, leaves, delta, pivot and to_server)


def expected(splice: Splice) -> dict[Tuple4, Rewrite]:
    """What has to happen to the packets of `splice`."""
    to_server, to_client = splice.translations()
    return {
        each.match: Rewrite(
            each.direction,
            each.becomes,
            splice.delta,
            splice.pivot is not None and each.direction is Direction.TO_SERVER,
        )
        for each in (to_server, to_client)
    }


def _endpoint(address: int, port: int) -> Endpoint:
    return Endpoint(address.to_bytes(4, "big"), port)
