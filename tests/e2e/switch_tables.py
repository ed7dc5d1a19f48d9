"""How many entries the switch's tables hold, asked beside whoever drives it.

As a script it runs on the switch's host: `switch_tables.py KIND TARGET TABLE...` prints JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import grpc

from bfrt.proto import bfruntime_pb2, bfruntime_pb2_grpc
from deploy.laboratory import Laboratory
from deploy.laboratory.switch import PROGRAM
from p4rt.proto import p4runtime_pb2, p4runtime_pb2_grpc

_EVERYWHERE = bfruntime_pb2.TargetDevice(device_id=0, pipe_id=0xFFFF, direction=0xFF, prsr_id=0xFF)
_DEVICE = 0
RECORDS = ("connections", "overrides")


def usage(laboratory: Laboratory, *tables: str) -> dict[str, int]:
    """Entries by table."""
    kind = laboratory.default_config()["fastpath"]["kind"]
    argv = [sys.executable, str(Path(__file__)), kind, laboratory.switch.grpc, *tables]
    counts: dict[str, int] = json.loads(laboratory.balancer.run(argv))
    return counts


def records(laboratory: Laboratory) -> int:
    """How many entries of connections there are."""
    return sum(usage(laboratory, *RECORDS).values())


def _bfrt(channel: grpc.Channel, tables: Sequence[str]) -> list[int]:
    pb, stub = bfruntime_pb2, bfruntime_pb2_grpc.BfRuntimeStub(channel)
    [config] = stub.GetForwardingPipelineConfig(pb.GetForwardingPipelineConfigRequest()).config
    ids = {_short(table["name"]): table["id"] for table in json.loads(config.bfruntime_info)["tables"]}
    entities = [pb.Entity(table_usage=pb.TableUsage(table_id=ids[name])) for name in tables]
    [response] = stub.Read(pb.ReadRequest(target=_EVERYWHERE, p4_name=PROGRAM, entities=entities))
    return [entity.table_usage.usage for entity in response.entities]


def _p4runtime(channel: grpc.Channel, tables: Sequence[str]) -> list[int]:
    pb, stub = p4runtime_pb2, p4runtime_pb2_grpc.P4RuntimeStub(channel)
    config = stub.GetForwardingPipelineConfig(pb.GetForwardingPipelineConfigRequest(device_id=_DEVICE)).config
    ids = {_short(table.preamble.name): table.preamble.id for table in config.p4info.tables}
    found = []
    for name in tables:
        entity = pb.Entity(table_entry=pb.TableEntry(table_id=ids[name]))
        responses = stub.Read(pb.ReadRequest(device_id=_DEVICE, entities=[entity]))
        found.append(sum(len(response.entities) for response in responses))
    return found


def _short(name: str) -> str:
    return name.rpartition(".")[2]


_READERS = {"model": _bfrt, "bmv2": _p4runtime}


def _main(kind: str, target: str, *tables: str) -> None:
    with grpc.insecure_channel(target) as channel:
        print(json.dumps(dict(zip(tables, _READERS[kind](channel, tables), strict=True))))  # noqa: T201


if __name__ == "__main__":
    _main(*sys.argv[1:])
