"""Counters and registers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bfrt import Count, ProtocolError, SchemaError
from bfrt.proto import bfruntime_pb2 as pb
from tests.unit.bfrt.running import opened
from tests.unit.bfrt.scripted import Script, serving
from tests.unit.rpc.running import run


def _indexed(table_id: int, key_id: int, index: int, *data: tuple[int, int, int]) -> pb.Entity:
    key = pb.TableKey(fields=[pb.KeyField(field_id=key_id, exact=pb.KeyField.Exact(value=index.to_bytes(4)))])
    fields = [pb.DataField(field_id=id_, stream=value.to_bytes(size)) for id_, value, size in data]
    return pb.Entity(table_entry=pb.TableEntry(table_id=table_id, key=key, data=pb.TableData(fields=fields)))


def _array(*entities: pb.Entity) -> Callable[[pb.Entity], list[pb.Entity]]:
    """Answers a wildcard with all, and a key with its entry."""

    def answer(wanted: pb.Entity) -> list[pb.Entity]:
        entry = wanted.table_entry
        return [each for each in entities if not entry.HasField("key") or each.table_entry.key == entry.key]

    return answer


def test_counters(address: str) -> None:
    traffic = 0x83000001
    counts = [_indexed(traffic, 65556, index, (65554, index, 8), (65553, 100 * index, 8)) for index in (2, 0, 3, 1)]
    script = Script(answer=_array(*counts))

    async def scenario() -> None:
        async with serving(script, address), await opened(address) as session:
            counter = session.counter("traffic")
            await counter.sync()
            assert await counter.read(from_hw=False) == [Count(index, 100 * index) for index in range(4)]
            assert await counter.read([3, 1]) == [Count(3, 300), Count(1, 100)]
            script.answer = _array(*counts[:2])
            with pytest.raises(ProtocolError, match="left out index 1 of 4"):
                await counter.read()
            with pytest.raises(SchemaError, match="not Counter"):
                session.counter("vips")

    run(scenario)
    assert script.writes[0].updates[0].entity.table_operation.table_operations_type == "Sync"


def test_registers_have_a_value_per_pipe(address: str) -> None:
    words = [_indexed(0x8B000001, 65557, index, (1, index, 4), (1, 0, 4), (1, 9, 4), (1, 0, 4)) for index in range(4)]
    script = Script(answer=_array(*words))

    async def scenario() -> None:
        async with serving(script, address), await opened(address) as session:
            seen = session.register("seen")
            await seen.sync()
            assert await seen.read(from_hw=False) == [(index, 0, 9, 0) for index in range(4)]
            assert await seen.read([2], member="f1") == [(2, 0, 9, 0)]
            await session.write([seen.set(1, (0,))])
            await seen.clear()
            with pytest.raises(SchemaError, match="1 members"):
                seen.set(1, (0, 0))

    run(scenario)
    operation, set_, clear = (request.updates[0] for request in script.writes)
    assert operation.entity.table_operation.table_operations_type == "SyncRegisters"
    assert set_.entity.table_entry.data.fields[0].stream == bytes(4)
    assert (clear.type, clear.entity.table_entry.HasField("key")) == (pb.Update.DELETE, False)
