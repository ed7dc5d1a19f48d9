"""The ids of a program's objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from p4model.objects import Action, ProgramInfo
from p4model.serving.ids import assign
from p4rt.proto.p4info_pb2 import P4Ids


@dataclass(frozen=True, slots=True)
class Schema:
    """Ids by full name, as the compiler assigns them."""

    program: ProgramInfo
    tables: dict[str, int]
    actions: dict[str, int]
    counters: dict[str, int]
    direct_counters: dict[str, int]
    registers: dict[str, int]
    digests: dict[str, int]

    @classmethod
    def of(cls, program: ProgramInfo) -> Schema:
        """Give ids to all objects of a program."""
        direct_counters = (table.direct_counter_name for table in program.tables)
        return cls(
            program,
            tables=assign(P4Ids.TABLE, (table.name for table in program.tables)),
            actions=assign(P4Ids.ACTION, (action.name for action in actions_of(program))),
            counters=assign(P4Ids.COUNTER, (counter.name for counter in program.counters)),
            direct_counters=assign(P4Ids.DIRECT_COUNTER, filter(None, direct_counters)),
            registers=assign(P4Ids.REGISTER, (register.name for register in program.registers)),
            digests=assign(P4Ids.DIGEST, (digest.name for digest in program.digests)),
        )

    def names(self) -> list[str]:
        """The full names of all objects."""
        kinds = (self.tables, self.actions, self.counters, self.direct_counters, self.registers, self.digests)
        return [name for kind in kinds for name in kind]


def actions_of(program: ProgramInfo) -> Iterable[Action]:
    """The actions that tables use, each once."""
    return {action.name: action for table in program.tables for action in table.actions}.values()
