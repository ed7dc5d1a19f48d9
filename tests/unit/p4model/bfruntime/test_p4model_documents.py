"""Ids, and the documents that clients learn names from."""

from __future__ import annotations

import json

import pytest

from bfrt.proto import bfruntime_pb2 as pb
from p4model.bfruntime.ids import Prefix
from p4model.serving.ids import assign
from tests.unit.p4model.bfruntime.program import (
    CONNECTIONS,
    DECISIONS,
    FLOWS,
    NOTHING,
    ROUTES,
    RULES,
    SEEN,
    SPLICED,
    TRAFFIC,
)
from tests.unit.p4model.bfruntime.rig import Rig, run


@pytest.mark.parametrize(
    ("prefix", "name", "expected"),
    [
        (Prefix.TABLE, "pipe.SwitchIngress.forward", 37882547),
        (Prefix.ACTION, "SwitchIngress.hit", 32848556),
    ],
)
def test_ids_are_those_of_the_compiler(prefix: Prefix, name: str, expected: int) -> None:
    assert assign(prefix, [name]) == {name: expected}


def test_ids_are_unique(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("p4model.serving.ids.one_at_a_time", lambda name: 0xABFFFFFF)
    assert assign(Prefix.DIGEST, ["b", "a", "a"]) == {"a": 0x8EFFFFFF, "b": 0x8E000000}


def test_the_documents() -> None:
    async def scenario(rig: Rig) -> None:
        response = await rig.stub.GetForwardingPipelineConfig(pb.GetForwardingPipelineConfigRequest(client_id=99))
        (config,) = response.config
        assert config.p4_name == "program"
        program = json.loads(config.bfruntime_info)
        fixed = json.loads(response.non_p4_config.bfruntime_info)
        for document in (program, fixed):
            assert document["schema_version"] == "1.0.0"
            for table in document["tables"]:
                assert {"name", "id", "table_type", "size", "attributes", "supported_operations", "key", "data"} <= set(
                    table
                )
                for field in table["key"]:
                    assert {"id", "name", "match_type", "type"} <= set(field)
                for field in table["data"]:
                    assert "repeated" in field["singleton"]

        tables = {table["name"]: table for table in program["tables"]}
        connections = tables[f"pipe.{CONNECTIONS}"]
        assert connections["table_type"] == "MatchAction_Direct"
        assert connections["size"] == 3
        assert [(key["id"], key["name"], key["match_type"], key["type"]) for key in connections["key"]] == [
            (1, "digest", "Exact", {"type": "bytes", "width": 32}),
            (2, "side", "Exact", {"type": "bytes", "width": 1}),
        ]
        spliced, _, nothing = connections["action_specs"]
        assert (spliced["name"], spliced["action_scope"], nothing["name"]) == (SPLICED, "TableAndDefault", NOTHING)
        assert [(one["id"], one["name"], one["type"]["width"]) for one in spliced["data"]] == [
            (1, "delta", 32),
            (2, "pivot", 1),
            (3, "path", 15),
        ]
        rules = tables[f"pipe.{RULES}"]["key"]
        assert [key["match_type"] for key in rules] == ["Ternary", "Range", "Exact", "Exact"]
        assert (rules[-1]["name"], rules[-1]["type"]) == ("$MATCH_PRIORITY", {"type": "uint32"})
        assert [key["match_type"] for key in tables[f"pipe.{ROUTES}"]["key"]] == ["LPM", "Exact"]
        assert "ConstTable" in tables[f"pipe.{DECISIONS}"]["attributes"]
        flows = tables[f"pipe.{FLOWS}"]
        assert flows["supported_operations"] == ["SyncCounters", "UpdateHitState"]
        assert "IdleTimeout" in flows["attributes"]
        assert [field["singleton"]["name"] for field in flows["data"]] == [
            "$COUNTER_SPEC_BYTES",
            "$COUNTER_SPEC_PKTS",
            "$ENTRY_TTL",
            "$ENTRY_HIT_STATE",
        ]
        assert tables[f"pipe.{TRAFFIC}"]["table_type"] == "Counter"
        (member,) = tables[f"pipe.{SEEN}"]["data"]
        assert member["singleton"]["name"] == "Ingress.seen.f1"
        (learned,) = program["learn_filters"]
        assert learned["name"] == "pipe.IngressDeparser.ended"
        assert [(field["id"], field["name"], field["type"]["width"]) for field in learned["fields"]] == [
            (1, "address", 32),
            (2, "flags", 6),
        ]
        assert {table["name"]: table["id"] for table in fixed["tables"]} == {
            "$PORT": 0xFF010001,
            "tf1.dev.device_configuration": 0xFF060001,
        }

    run(scenario)


def test_the_configuration_of_the_device() -> None:
    async def scenario(rig: Rig) -> None:
        (read,) = await rig.read(pb.TableEntry(table_id=0xFF060001))
        values = {field.field_id: field for field in read.data.fields}
        assert int.from_bytes(values[1].stream) == 2
        assert list(values[4].int_arr_val.val) == [64, 65, 66, 67]

    run(scenario, pipes=2)
