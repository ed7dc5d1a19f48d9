"""Names and ids under which a program's objects are served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from p4model.bfruntime.ids import Prefix
from p4model.objects import CounterInfo, DigestInfo, Field, ProgramInfo, RegisterInfo, TableInfo
from p4model.serving.ids import assign


@dataclass(frozen=True, slots=True)
class Schema:
    """The objects of a program with their ids by full name; tables, counters, registers and digests by `qualified`."""

    program: ProgramInfo
    pipeline: str
    actions: dict[str, int]
    tables: dict[str, int]
    counters: dict[str, int]
    registers: dict[str, int]
    digests: dict[str, int]

    @classmethod
    def of(cls, program: ProgramInfo, pipeline: str = "pipe") -> Schema:
        """Give ids to all objects of a program whose Pipeline instance has the name `pipeline`."""

        def ids(
            prefix: Prefix, objects: Sequence[TableInfo | CounterInfo | RegisterInfo | DigestInfo]
        ) -> dict[str, int]:
            return assign(prefix, (f"{pipeline}.{one.name}" for one in objects))

        return cls(
            program=program,
            pipeline=pipeline,
            actions=assign(Prefix.ACTION, (action.name for table in program.tables for action in table.actions)),
            tables=ids(Prefix.TABLE, program.tables),
            counters=ids(Prefix.COUNTER, program.counters),
            registers=ids(Prefix.REGISTER, program.registers),
            digests=ids(Prefix.DIGEST, program.digests),
        )

    def qualified(self, name: str) -> str:
        """The name with the pipeline's in front, as bf-rt.json has it."""
        return f"{self.pipeline}.{name}"


def member_name(register: RegisterInfo, member: Field) -> str:
    """The name of a register's data field."""
    return f"{register.name}.{member.name}"
