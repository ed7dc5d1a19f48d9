"""How many entries the switch's tables hold, asked beside whoever drives it.

As a script it runs on the switch's host: `switch_tables.py TARGET PROGRAM TABLE...` prints JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import grpc

from bfrt.proto import bfruntime_pb2 as pb
from bfrt.proto import bfruntime_pb2_grpc
from deploy.laboratory import Laboratory
from deploy.laboratory.switch import GRPC, PROGRAM

_EVERYWHERE = pb.TargetDevice(device_id=0, pipe_id=0xFFFF, direction=0xFF, prsr_id=0xFF)
RECORDS = ("connections", "overrides")


def usage(laboratory: Laboratory, *tables: str) -> dict[str, int]:
    """Entries by table."""
    argv = [sys.executable, str(Path(__file__)), GRPC, PROGRAM, *tables]
    counts: dict[str, int] = json.loads(laboratory.balancer.run(argv))
    return counts


def records(laboratory: Laboratory) -> int:
    """How many entries of connections there are."""
    return sum(usage(laboratory, *RECORDS).values())


def _read(target: str, program: str, tables: list[str]) -> dict[str, int]:
    with grpc.insecure_channel(target) as channel:
        stub = bfruntime_pb2_grpc.BfRuntimeStub(channel)
        [config] = stub.GetForwardingPipelineConfig(pb.GetForwardingPipelineConfigRequest()).config
        ids = {table["name"].rpartition(".")[2]: table["id"] for table in json.loads(config.bfruntime_info)["tables"]}
        entities = [pb.Entity(table_usage=pb.TableUsage(table_id=ids[name])) for name in tables]
        request = pb.ReadRequest(target=_EVERYWHERE, p4_name=program, entities=entities)
        [response] = stub.Read(request)
        return {name: entity.table_usage.usage for name, entity in zip(tables, response.entities, strict=True)}


if __name__ == "__main__":
    print(json.dumps(_read(sys.argv[1], sys.argv[2], sys.argv[3:])))  # noqa: T201
