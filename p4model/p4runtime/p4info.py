"""The p4info of a program."""

from __future__ import annotations

from collections import Counter as Multiset
from collections.abc import Iterable, Iterator

from p4model.objects import Action, ActionScope, Counts, Field, MatchKind, ProgramInfo, RegisterInfo, TableInfo
from p4model.p4runtime.schema import Schema, actions_of
from p4rt.proto import p4info_pb2 as config
from p4rt.proto import p4types_pb2 as types

ARCHITECTURE = "v1model"

_MATCH_TYPES = {
    MatchKind.EXACT: config.MatchField.EXACT,
    MatchKind.LPM: config.MatchField.LPM,
    MatchKind.TERNARY: config.MatchField.TERNARY,
    MatchKind.RANGE: config.MatchField.RANGE,
}
_SCOPES = {
    ActionScope.TABLE_AND_DEFAULT: config.ActionRef.TABLE_AND_DEFAULT,
    ActionScope.TABLE_ONLY: config.ActionRef.TABLE_ONLY,
    ActionScope.DEFAULT_ONLY: config.ActionRef.DEFAULT_ONLY,
}
_UNITS = {
    Counts.PACKETS: config.CounterSpec.PACKETS,
    Counts.BYTES: config.CounterSpec.BYTES,
    Counts.PACKETS_AND_BYTES: config.CounterSpec.BOTH,
}


def p4info(program: ProgramInfo) -> config.P4Info:
    """What the compiler tells of a program, without the annotations and comments of its source."""
    described = _Description(Schema.of(program))
    info = config.P4Info(
        tables=map(described.table, program.tables),
        actions=map(described.action, actions_of(program)),
        counters=[
            config.Counter(
                preamble=described.preamble(described.ids.counters, counter.name),
                spec=config.CounterSpec(unit=_UNITS[counter.counts]),
                size=counter.size,
            )
            for counter in program.counters
        ],
        direct_counters=described.direct_counters(),
        registers=map(described.register, program.registers),
        digests=[
            config.Digest(
                preamble=described.preamble(described.ids.digests, digest.name),
                type_spec=types.P4DataTypeSpec(struct=types.P4NamedType(name=digest.name)),
            )
            for digest in program.digests
        ],
    )
    info.pkg_info.arch = ARCHITECTURE
    info.type_info.SetInParent()
    for digest in program.digests:
        info.type_info.structs[digest.name].CopyFrom(_struct(digest.members))
    return info


def aliases(names: Iterable[str]) -> dict[str, str]:
    """By name, the shortest of its dotted suffixes that no other name has."""
    unique = set(names)
    used = Multiset(suffix for name in unique for suffix in _suffixes(name))
    return {name: next((suffix for suffix in _suffixes(name) if used[suffix] == 1), name) for name in unique}


def _suffixes(name: str) -> Iterator[str]:
    """The dotted suffixes of a name, the shortest first."""
    parts = name.split(".")
    return (".".join(parts[start:]) for start in reversed(range(len(parts))))


class _Description:
    """Messages for the objects of one program."""

    def __init__(self, ids: Schema) -> None:
        self.ids = ids
        self._aliases = aliases(ids.names())

    def preamble(self, ids: dict[str, int], name: str) -> config.Preamble:
        return config.Preamble(id=ids[name], name=name, alias=self._aliases[name])

    def table(self, table: TableInfo) -> config.Table:
        default = table.actions[table.default.action]
        message = config.Table(
            preamble=self.preamble(self.ids.tables, table.name),
            match_fields=[
                config.MatchField(id=id_, name=key.name, bitwidth=key.width, match_type=_MATCH_TYPES[key.kind])
                for id_, key in enumerate(table.keys, 1)
            ],
            action_refs=[
                config.ActionRef(id=self.ids.actions[action.name], scope=_SCOPES[action.scope])
                for action in table.actions
            ],
            initial_default_action=self._call(default, table.default.arguments),
            size=table.size,
            is_const_table=table.const_entries is not None,
            has_initial_entries=bool(table.const_entries),
        )
        if table.const_default:
            message.const_default_action_id = self.ids.actions[default.name]
        if table.direct_counter_name is not None:
            message.direct_resource_ids.append(self.ids.direct_counters[table.direct_counter_name])
        if table.idle_timeout:
            message.idle_timeout_behavior = config.Table.NOTIFY_CONTROL
        return message

    def _call(self, action: Action, arguments: tuple[int, ...]) -> config.TableActionCall:
        # Not canonical: the compiler gives as many bytes as the width takes.
        return config.TableActionCall(
            action_id=self.ids.actions[action.name],
            arguments=[
                config.TableActionCall.Argument(param_id=id_, value=value.to_bytes((parameter.width + 7) // 8))
                for id_, (parameter, value) in enumerate(zip(action.parameters, arguments, strict=True), 1)
            ],
        )

    def action(self, action: Action) -> config.Action:
        return config.Action(
            preamble=self.preamble(self.ids.actions, action.name),
            params=[
                config.Action.Param(id=id_, name=parameter.name, bitwidth=parameter.width)
                for id_, parameter in enumerate(action.parameters, 1)
            ],
        )

    def direct_counters(self) -> Iterator[config.DirectCounter]:
        for table in self.ids.program.tables:
            if table.direct_counter is not None and table.direct_counter_name is not None:
                yield config.DirectCounter(
                    preamble=self.preamble(self.ids.direct_counters, table.direct_counter_name),
                    spec=config.CounterSpec(unit=_UNITS[table.direct_counter]),
                    direct_table_id=self.ids.tables[table.name],
                )

    def register(self, register: RegisterInfo) -> config.Register:
        return config.Register(
            preamble=self.preamble(self.ids.registers, register.name),
            type_spec=_bits(register.members[0].width),
            size=register.size,
        )


def _struct(members: Iterable[Field]) -> types.P4StructTypeSpec:
    return types.P4StructTypeSpec(
        members=[types.P4StructTypeSpec.Member(name=one.name, type_spec=_bits(one.width)) for one in members]
    )


def _bits(width: int) -> types.P4DataTypeSpec:
    bit = types.P4BitTypeSpec(bitwidth=width)
    return types.P4DataTypeSpec(bitstring=types.P4BitstringLikeTypeSpec(bit=bit))
