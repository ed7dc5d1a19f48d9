"""The bf-rt.json document of a program."""

from __future__ import annotations

import json
from typing import Any

from p4model.bfruntime import fields
from p4model.bfruntime.schema import Schema, member_name
from p4model.objects import CounterInfo, Counts, DigestInfo, Field, Key, MatchKind, RegisterInfo, TableInfo
from p4model.state.record import has_priorities

Json = dict[str, Any]

_MATCH_TYPES = {
    MatchKind.EXACT: "Exact",
    MatchKind.TERNARY: "Ternary",
    MatchKind.LPM: "LPM",
    MatchKind.RANGE: "Range",
}


def program_document(schema: Schema) -> bytes:
    """The document of the program's own tables and learn filters."""
    program = schema.program
    tables = [_match_table(schema, table) for table in program.tables]
    tables += [_counter(schema, counter) for counter in program.counters]
    tables += [_register(schema, register) for register in program.registers]
    return document(tables, [_learn_filter(schema, digest) for digest in program.digests])


def document(tables: list[Json], learn_filters: list[Json]) -> bytes:
    """Wrap tables and learn filters into a document."""
    return json.dumps({"schema_version": "1.0.0", "tables": tables, "learn_filters": learn_filters}, indent=1).encode()


def bits(width: int) -> Json:
    """The type of a P4 value."""
    return {"type": "bytes", "width": width}


def number(kind: str, default: int | None = None) -> Json:
    """The type of a number of the run-time, such as uint32."""
    return {"type": kind} if default is None else {"type": kind, "default_value": default}


def field(id_: int, name: str, type_: Json, *, repeated: bool = False, annotations: list[Json] | None = None) -> Json:
    """What all fields have."""
    return {"id": id_, "name": name, "repeated": repeated, "annotations": annotations or [], "type": type_}


def key_field(id_: int, name: str, match: str, type_: Json) -> Json:
    """A field of a table's key."""
    return {**field(id_, name, type_), "mandatory": False, "match_type": match}


def data_field(singleton: Json, *, mandatory: bool = False, read_only: bool = False) -> Json:
    """A field of a table's data."""
    return {"mandatory": mandatory, "read_only": read_only, "singleton": singleton}


def table(name: str, id_: int, kind: str, size: int, **more: Any) -> Json:  # noqa: ANN401
    """A table; `more` replaces what is empty by default."""
    empty: Json = {"annotations": [], "depends_on": [], "key": [], "data": []}
    return {
        "name": name,
        "id": id_,
        "table_type": kind,
        "size": size,
        **empty,
        "supported_operations": [],
        "attributes": [],
        **more,
    }


def _match_table(schema: Schema, info: TableInfo) -> Json:
    data: list[Json] = _counter_data(info.direct_counter) if info.direct_counter else []
    attributes, operations = ["EntryScope"], []
    if info.direct_counter:
        operations.append("SyncCounters")
    if info.idle_timeout:
        operations.append("UpdateHitState")
        attributes.append("IdleTimeout")
        states = {"type": "string", "choices": ["ENTRY_IDLE", "ENTRY_ACTIVE"]}
        data.append(data_field(field(*fields.ENTRY_TTL, number("uint32", 0))))
        data.append(data_field(field(*fields.ENTRY_HIT_STATE, states)))
    if info.const_entries is not None:
        attributes.append("ConstTable")
    name = schema.qualified(info.name)
    return table(
        name,
        schema.tables[name],
        "MatchAction_Direct",
        info.size,
        has_const_default_action=info.const_default,
        key=_keys(info.keys),
        action_specs=[
            {
                "id": schema.actions[action.name],
                "name": action.name,
                "action_scope": action.scope.value,
                "annotations": [],
                "data": [_parameter(id_, parameter) for id_, parameter in enumerate(action.parameters, 1)],
            }
            for action in info.actions
        ],
        data=data,
        supported_operations=operations,
        attributes=attributes,
    )


def _keys(keys: tuple[Key, ...]) -> list[Json]:
    described = [key_field(id_, key.name, _MATCH_TYPES[key.kind], bits(key.width)) for id_, key in enumerate(keys, 1)]
    if has_priorities(keys):
        described.append(key_field(*fields.MATCH_PRIORITY, "Exact", number("uint32")))
    return described


def _parameter(id_: int, parameter: Field) -> Json:
    return {**field(id_, parameter.name, bits(parameter.width)), "mandatory": True, "read_only": False}


def _counter_data(counts: Counts) -> list[Json]:
    data = []
    if counts is not Counts.PACKETS:
        data.append(data_field(field(*fields.COUNTER_BYTES, number("uint64", 0))))
    if counts is not Counts.BYTES:
        data.append(data_field(field(*fields.COUNTER_PACKETS, number("uint64", 0))))
    return data


def _counter(schema: Schema, info: CounterInfo) -> Json:
    name = schema.qualified(info.name)
    return table(
        name,
        schema.counters[name],
        "Counter",
        info.size,
        key=[key_field(*fields.COUNTER_INDEX, "Exact", number("uint32"))],
        data=_counter_data(info.counts),
        supported_operations=["Sync"],
    )


def _register(schema: Schema, info: RegisterInfo) -> Json:
    name = schema.qualified(info.name)
    data = []
    for id_, member in enumerate(info.members, 1):
        marks = [{"name": "$bfrt_field_class", "value": "register_data"}]
        singleton = field(id_, member_name(info, member), bits(member.width), annotations=marks)
        data.append(data_field(singleton, mandatory=True))
    return table(
        name,
        schema.registers[name],
        "Register",
        info.size,
        key=[key_field(*fields.REGISTER_INDEX, "Exact", number("uint32"))],
        data=data,
        supported_operations=["Sync"],
    )


def _learn_filter(schema: Schema, info: DigestInfo) -> Json:
    name = schema.qualified(info.name)
    return {
        "name": name,
        "id": schema.digests[name],
        "annotations": [],
        "fields": [field(id_, member.name, bits(member.width)) for id_, member in enumerate(info.members, 1)],
    }
