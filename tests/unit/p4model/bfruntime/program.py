"""A program with one object of each kind, made by hand; its pipeline learns whatever a frame holds."""

from __future__ import annotations

from dataclasses import dataclass, field

from p4model.objects import (
    Action,
    ActionScope,
    CounterInfo,
    Counts,
    DigestInfo,
    Entry,
    Field,
    Key,
    Match,
    MatchKind,
    ProgramInfo,
    RegisterInfo,
    TableInfo,
)
from p4model.state import DeviceState

CONNECTIONS, RULES, ROUTES, FLOWS = "Ingress.connections", "Ingress.rules", "Ingress.routes", "Ingress.flows"
KEYLESS, DECISIONS = "Ingress.keyless", "Ingress.decisions"
TRAFFIC, SEEN, ENDED = "Ingress.traffic", "Ingress.seen", "IngressDeparser.ended"
SPLICED, SET, NOTHING = "Ingress.spliced", "Ingress.set", "NoAction"
ONLY_DEFAULT, ONLY_ENTRIES = "Ingress.only_default", "Ingress.only_entries"

_nothing = Action(NOTHING, ())
_set = Action(SET, (Field("value", 9),))


def _exact(name: str, width: int) -> Key:
    return Key(name, MatchKind.EXACT, width)


PROGRAM = ProgramInfo(
    tables=(
        TableInfo(
            CONNECTIONS,
            (_exact("digest", 32), _exact("side", 1)),
            (Action(SPLICED, (Field("delta", 32), Field("pivot", 1), Field("path", 15))), _set, _nothing),
            3,
            Entry((), 2),
        ),
        TableInfo(
            RULES,
            (
                Key("address", MatchKind.TERNARY, 32),
                Key("port", MatchKind.RANGE, 16),
                _exact("kind", 8),
            ),
            (_set, _nothing),
            8,
            Entry((), 1),
        ),
        TableInfo(ROUTES, (Key("address", MatchKind.LPM, 32), _exact("domain", 4)), (_set, _nothing), 8, Entry((), 1)),
        TableInfo(
            FLOWS,
            (_exact("flow", 16),),
            (
                _set,
                Action(ONLY_DEFAULT, (), ActionScope.DEFAULT_ONLY),
                Action(ONLY_ENTRIES, (), ActionScope.TABLE_ONLY),
            ),
            8,
            Entry((), 1),
            direct_counter=Counts.PACKETS_AND_BYTES,
            idle_timeout=True,
        ),
        TableInfo(KEYLESS, (), (_set, _nothing), 1, Entry((), 1)),
        TableInfo(
            DECISIONS,
            (Key("state", MatchKind.TERNARY, 8),),
            (_set, _nothing),
            4,
            Entry((), 1),
            const_entries=(Entry((Match(1, 1),), 0, (7,), 1), Entry((Match(0, 0),), 0, (8,), 2)),
        ),
    ),
    counters=(CounterInfo(TRAFFIC, 4, Counts.PACKETS_AND_BYTES, 64),),
    registers=(RegisterInfo(SEEN, 4, (Field("f1", 32),), (0,)),),
    digests=(DigestInfo(ENDED, (Field("address", 32), Field("flags", 6))),),
)


@dataclass
class Learning:
    """A result whose digests are the frame: an address and flags for each five bytes."""

    digests: list[tuple[str, tuple[int, ...]]]
    outputs: list[tuple[int, bytes]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


class Pipeline:
    """What every frame raises is in the frame."""

    def process(self, port: int, frame: bytes) -> Learning:
        starts = range(0, len(frame), 5)
        return Learning([(ENDED, (int.from_bytes(frame[at : at + 4]), frame[at + 4])) for at in starts])


class Program:
    """PROGRAM, or another one, without any P4."""

    def __init__(self, info: ProgramInfo = PROGRAM) -> None:
        self.info = info

    def pipeline(self, state: DeviceState) -> Pipeline:
        return Pipeline()
