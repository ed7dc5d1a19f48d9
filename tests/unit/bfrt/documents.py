"""A small program as a server describes it, with every kind of table that the client knows."""

from __future__ import annotations

import json
from typing import Any

PROGRAM = "l7lb"


def field(id_: int, name: str, width: int, match: str | None = None) -> dict[str, Any]:
    item: dict[str, Any] = {"id": id_, "name": name, "repeated": False, "type": {"type": "bytes", "width": width}}
    return item | ({"match_type": match} if match else {})


def typed(id_: int, name: str, type_: str, **more: object) -> dict[str, Any]:
    repeated = more.pop("repeated", False)
    return {"id": id_, "name": name, "repeated": repeated, "type": {"type": type_, **more}}


def table(id_: int, name: str, type_: str = "MatchAction_Direct", **more: object) -> dict[str, Any]:
    base = {"id": id_, "name": name, "table_type": type_, "size": 1024, "annotations": [], "depends_on": []}
    return base | {"key": [], "data": [], "supported_operations": [], "attributes": []} | more


def action(id_: int, name: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    return {"id": id_, "name": name, "action_scope": "TableAndDefault", "data": list(parameters)}


def common(*fields: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"mandatory": False, "read_only": False, "singleton": each} for each in fields]


NO_ACTION = action(0x01000001, "NoAction")
TABLES = [
    table(
        0x02000001,
        "pipe.Ingress.classify.vips",
        key=[field(1, "address", 32, "Exact"), field(2, "port", 16, "Exact")],
        action_specs=[action(0x01000002, "Ingress.classify.listener", field(1, "group", 16)), NO_ACTION],
    ),
    table(
        0x02000002,
        "pipe.Ingress.connections",
        key=[field(1, "digest", 32, "Exact")],
        action_specs=[
            action(0x01000003, "Ingress.spliced", field(1, "delta", 32), field(2, "pivot", 1), field(3, "path", 15))
        ],
    ),
    table(
        0x02000003,
        "pipe.Ingress.routes",
        key=[field(1, "address", 32, "LPM")],
        action_specs=[action(0x01000004, "Ingress.via", field(1, "next_hop", 16))],
    ),
    table(
        0x02000004,
        "pipe.Ingress.policy.filter",
        key=[
            field(1, "hdr.ipv4.src_addr", 32, "Ternary"),
            field(2, "hdr.tcp.dst_port", 16, "Range"),
            field(3, "meta.kind", 4, "Optional"),
            typed(65537, "$MATCH_PRIORITY", "uint32") | {"match_type": "Exact"},
        ],
        action_specs=[NO_ACTION],
    ),
    table(
        0x02000005,
        "pipe.Ingress.aged",
        key=[field(1, "address", 32, "Exact")],
        action_specs=[NO_ACTION],
        data=common(
            typed(65543, "$ENTRY_TTL", "uint32"),
            typed(65544, "$ENTRY_HIT_STATE", "string", choices=["ENTRY_IDLE", "ENTRY_ACTIVE"]),
        ),
        supported_operations=["UpdateHitState"],
        attributes=["EntryScope", "IdleTimeout"],
    ),
    table(
        0x83000001,
        "pipe.Ingress.traffic",
        "Counter",
        size=4,
        key=[typed(65556, "$COUNTER_INDEX", "uint32") | {"match_type": "Exact"}],
        data=common(typed(65553, "$COUNTER_SPEC_BYTES", "uint64"), typed(65554, "$COUNTER_SPEC_PKTS", "uint64")),
        supported_operations=["Sync"],
    ),
    table(
        0x8B000001,
        "pipe.Ingress.seen",
        "Register",
        size=4,
        key=[typed(65557, "$REGISTER_INDEX", "uint32") | {"match_type": "Exact"}],
        data=common(field(1, "Ingress.seen.f1", 32)),
        supported_operations=["SyncRegisters"],
    ),
    # Two tables of the same last name, and a type that the client has never heard of.
    table(0x02000006, "pipe.Egress.policy.filter", key=[field(1, "port", 9, "Exact")], action_specs=[NO_ACTION]),
    table(0x99000001, "pipe.tbl_dbg_counter", "TblDbgCnt", data=common(typed(1, "nested", "container"))),
]
FILTERS = [
    {
        "id": 0x8E000001,
        "name": "pipe.IngressDeparser.ended",
        "annotations": [],
        "fields": [field(1, "source_address", 32), field(2, "source_port", 16), field(3, "flags", 8)],
    }
]
FIXED = [
    table(
        0xFF010001,
        "$PORT",
        "PortConfigure",
        key=[typed(1, "$DEV_PORT", "uint32") | {"match_type": "Exact"}],
        data=common(
            typed(1, "$SPEED", "string", choices=["BF_SPEED_10G", "BF_SPEED_25G", "BF_SPEED_100G"]),
            typed(2, "$FEC", "string", choices=["BF_FEC_TYP_NONE", "BF_FEC_TYP_FIRECODE", "BF_FEC_TYP_REED_SOLOMON"]),
            typed(4, "$PORT_ENABLE", "bool"),
            typed(25, "$PORT_UP", "bool"),
            typed(30, "lanes", "uint32", repeated=True),
        ),
    )
]

PROGRAM_DOCUMENT = json.dumps({"schema_version": "1.0.0", "tables": TABLES, "learn_filters": FILTERS}).encode()
FIXED_DOCUMENT = json.dumps({"schema_version": "1.0.0", "tables": FIXED}).encode()
