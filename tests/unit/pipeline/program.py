"""Programs of the names that the fast path relies on, small, and without a pipeline."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from fastpath.pipeline.rows import RECORDS
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


class MakeInfo(Protocol):
    """A program with tables of records of these sizes, and without one table."""

    def __call__(
        self, *, connections: int = 64, overrides: int = 32, digest_bits: int = 32, without: str = ""
    ) -> ProgramInfo: ...


def tna(*, connections: int = 64, overrides: int = 32, digest_bits: int = 32, without: str = "") -> ProgramInfo:
    """The TNA program."""
    return ProgramInfo(
        tables=_tables("Ingress", connections, overrides, digest_bits, without),
        counters=_counters("Ingress"),
        registers=(RegisterInfo("Ingress.seen", SEEN_WORDS, (Field("f1", 32),), (0,)),),
        digests=(DigestInfo("IngressDeparser.ended", _MEMBERS),),
    )


def v1model(*, connections: int = 64, overrides: int = 32, digest_bits: int = 32, without: str = "") -> ProgramInfo:
    """The v1model program, whose records age."""
    tables = _tables("SwitchIngress", connections, overrides, digest_bits, without)
    return ProgramInfo(
        tables=tuple(replace(table, idle_timeout=_short(table.name) in RECORDS) for table in tables),
        counters=_counters("SwitchIngress"),
        registers=(),
        digests=(DigestInfo("ended_t", _MEMBERS),),
    )


def _fields(**widths: int) -> tuple[Field, ...]:
    return tuple(Field(name, width) for name, width in widths.items())


_TUPLE4 = {"source_address": 32, "source_port": 16, "destination_address": 32, "destination_port": 16}
_MEMBERS = (*_fields(**_TUPLE4), Field("flags", 8))


def _tables(control: str, connections: int, overrides: int, digest_bits: int, without: str) -> tuple[TableInfo, ...]:
    link = {"port": 9, "source": 48, "destination": 48}
    tunnel = {"tunnel_source": 32, "tunnel_destination": 32, "vni": 24, "inner_source": 48, "inner_destination": 48}
    record = {"delta": 32, "pivot": 1, "path": 15}
    endpoint = {"address": 32, "port": 16}

    def table(name: str, size: int, key: dict[str, int], /, lpm: bool = False, **actions: dict[str, int]) -> TableInfo:
        kind = MatchKind.LPM if lpm else MatchKind.EXACT
        given = (Action(f"{control}.{name}.{action}", _fields(**parameters)) for action, parameters in actions.items())
        return TableInfo(
            f"{control}.{name}",
            tuple(Key(field, kind, width) for field, width in key.items()),
            (*given, Action("NoAction", ())),
            size,
            Entry((), len(actions)),
        )

    tables = (
        table("admit.ports", 64, {"port": 16}, known={}),
        table("admit.addresses", 64, {"port": 9, "address": 48}, ours={}),
        table("classify.vips", 8, endpoint, listener={"group": 16}),
        table("classify.servers", 8, endpoint, server={"group": 16}),
        table(
            "overrides",
            overrides,
            _TUPLE4,
            to_server={**record, "source_address": 32, "source_port": 16},
            to_client={"delta": 32, "path": 15, "destination_address": 32, "destination_port": 16},
        ),
        table("connections", connections, {"digest": digest_bits}, spliced=record),
        table("paths_to_server", PATHS, {"path": 15, **endpoint}, to_server={**endpoint, "next_hop": 16}),
        table("paths_to_client", PATHS, {"path": 15, **endpoint}, to_client=endpoint),
        table("routes", 64, {"address": 32}, lpm=True, via={"next_hop": 16}),
        table("next_hops", 64, {"next_hop": 16}, direct=link, vxlan={**link, **tunnel}),
    )
    return tuple(each for each in tables if _short(each.name) != without)


def _counters(control: str) -> tuple[CounterInfo, ...]:
    return (
        CounterInfo(f"{control}.traffic", 2 * PATHS, Counts.PACKETS_AND_BYTES, 64),
        CounterInfo(f"{control}.outcomes", 32, Counts.PACKETS, 64),
    )


def _short(name: str) -> str:
    return name.rpartition(".")[2]


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
    prepare: Callable[[DeviceState], None]
    """What is done to the state before there are packets."""

    def pipeline(self, state: DeviceState) -> Pipeline:
        self.prepare(state)
        [digest] = self.info.digests
        return _Stub(digest.name)


@dataclass(frozen=True)
class _Stub:
    digest: str

    def process(self, port: int, frame: bytes) -> Result:
        return Seen([(self.digest, ENDED.unpack(frame))])
