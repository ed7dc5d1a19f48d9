"""A program of the names that the fast path relies on, small, and without a pipeline."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from p4model.device import Pipeline, Result
from p4model.objects import (
    Action,
    CounterInfo,
    Counts,
    DigestInfo,
    Entry,
    Field,
    Key,
    MatchKind,
    ProgramInfo,
    RegisterInfo,
    TableInfo,
)
from p4model.state import DeviceState

PATHS = 8
SEEN_WORDS = 8
ENDED = struct.Struct("!IHIHB")
"""The fields of the digest `ended`, as a frame."""


def _fields(**widths: int) -> tuple[Field, ...]:
    return tuple(Field(name, width) for name, width in widths.items())


def _table(name: str, size: int, key: dict[str, int], /, lpm: bool = False, **actions: dict[str, int]) -> TableInfo:
    kind = MatchKind.LPM if lpm else MatchKind.EXACT
    return TableInfo(
        f"Ingress.{name}",
        tuple(Key(field, kind, width) for field, width in key.items()),
        (*(Action(f"Ingress.{action}", _fields(**given)) for action, given in actions.items()), Action("NoAction", ())),
        size,
        Entry((), len(actions)),
    )


def info(*, connections: int = 64, overrides: int = 32, digest_bits: int = 32) -> ProgramInfo:
    """The program with tables of records of these sizes."""
    link = {"port": 9, "source": 48, "destination": 48}
    tunnel = {"tunnel_source": 32, "tunnel_destination": 32, "vni": 24, "inner_source": 48, "inner_destination": 48}
    tuple4 = {"source_address": 32, "source_port": 16, "destination_address": 32, "destination_port": 16}
    record = {"delta": 32, "pivot": 1, "path": 15}
    endpoint = {"address": 32, "port": 16}
    return ProgramInfo(
        tables=(
            _table("admit.ports", 64, {"port": 16}, known={}),
            _table("admit.addresses", 64, {"port": 16, "address": 48}, ours={}),
            _table("classify.vips", 8, endpoint, listener={"group": 16}),
            _table("classify.servers", 8, endpoint, server={"group": 16}),
            _table(
                "overrides",
                overrides,
                tuple4,
                to_server={**record, "source_address": 32, "source_port": 16},
                to_client={"delta": 32, "path": 15, "destination_address": 32, "destination_port": 16},
            ),
            _table("connections", connections, {"digest": digest_bits}, spliced=record),
            _table("paths_to_server", PATHS, {"path": 15, **endpoint}, to_server={**endpoint, "next_hop": 16}),
            _table("paths_to_client", PATHS, {"path": 15, **endpoint}, to_client=endpoint),
            _table("routes", 64, {"address": 32}, lpm=True, via={"next_hop": 16}),
            _table("next_hops", 64, {"next_hop": 16}, direct=link, vxlan={**link, **tunnel}),
        ),
        counters=(
            CounterInfo("Ingress.traffic", 2 * PATHS, Counts.PACKETS_AND_BYTES, 64),
            CounterInfo("Ingress.outcomes", 32, Counts.PACKETS, 64),
        ),
        registers=(RegisterInfo("Ingress.seen", SEEN_WORDS, (Field("f1", 32),), (0,)),),
        digests=(DigestInfo("IngressDeparser.ended", (*_fields(**tuple4), Field("flags", 8))),),
    )


@dataclass(frozen=True)
class Seen:
    """What a frame leads to: only digests, which the frame is made of."""

    digests: Sequence[tuple[str, tuple[int, ...]]]
    outputs: Sequence[tuple[int, bytes]] = ()
    findings: Sequence[str] = ()


@dataclass(frozen=True)
class Program:
    """A compiled program as a device takes it; a frame is the digest `ended` of the packet that it stands for."""

    info: ProgramInfo

    def pipeline(self, state: DeviceState) -> Pipeline:
        return _Stub()


class _Stub:
    def process(self, port: int, frame: bytes) -> Result:
        return Seen([("IngressDeparser.ended", ENDED.unpack(frame))])
