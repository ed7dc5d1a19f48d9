"""What a server sends of itself: digests and idle-time notifications."""

from __future__ import annotations

import pytest

from bfrt import Ageing, Session, Stream
from bfrt.proto import bfruntime_pb2 as pb
from tests.unit.bfrt import documents
from tests.unit.bfrt.running import ended, opened
from tests.unit.bfrt.scripted import Script, serving
from tests.unit.rpc.running import run, until


def test_digests_come_in_order_to_every_reader(address: str) -> None:
    async def scenario() -> None:
        async with serving(script := Script(), address), await opened(address) as session:
            first, second = session.digests("ended"), session.digests("pipe.IngressDeparser.ended")
            script.send(ended((1, 2, 3), (4, 5, 6)))
            script.send(ended((7, 8, 9)))
            for stream in (first, second):
                assert [await anext(stream), await anext(stream)] == [[(1, 2, 3), (4, 5, 6)], [(7, 8, 9)]]
            await session.close()
            assert [batch async for batch in first] == []

    run(scenario)


def test_what_nobody_can_read_is_counted(address: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with serving(script := Script(), address), await opened(address) as session:
            script.send(ended((1, 2, 3), (4, 5, 6)))
            await until(lambda: session.lost == 2)
            stream = session.digests("ended")
            script.send(ended((1, 2, 3), digest_id=7))
            unfinished = pb.DigestList(digest_id=0x8E000001, data=[pb.TableData()])
            script.send(pb.StreamMessageResponse(digest=unfinished))
            script.send(ended((1, 2, 3)))
            assert await anext(stream) == [(1, 2, 3)]
            assert session.lost == 4
            assert session.connected

    run(scenario)
    assert "digest id 0x7 is not in the program's schema" in caplog.text
    assert "without its field" in caplog.text


def test_idle_notifications(address: str) -> None:
    def notification(type_: pb.IdleTimeoutNotification.NotificationType) -> pb.StreamMessageResponse:
        key = pb.TableKey(fields=[pb.KeyField(field_id=1, exact=pb.KeyField.Exact(value=bytes([0, 0, 0, 9])))])
        entry = pb.TableEntry(table_id=0x02000005, key=key)
        return pb.StreamMessageResponse(
            idle_timeout_notification=pb.IdleTimeoutNotification(table_entry=entry, type=type_)
        )

    async def scenario() -> None:
        script = Script()
        async with serving(script, address), await Session.open(address, documents.PROGRAM, idle=True) as session:
            script.send(notification(pb.IdleTimeoutNotification.ENTRY_IDLE))
            await until(lambda: session.lost == 1)
            stream = session.idle()
            script.send(notification(pb.IdleTimeoutNotification.ENTRY_IDLE))
            script.send(notification(pb.IdleTimeoutNotification.ENTRY_ACTIVE))
            assert await anext(stream) == [Ageing("pipe.Ingress.aged", (9,), active=False)]
            assert await anext(stream) == [Ageing("pipe.Ingress.aged", (9,), active=True)]

    run(scenario)


def test_a_slow_reader_loses_the_newest_and_knows_how_many() -> None:
    async def scenario() -> None:
        stream = Stream[int](capacity=3)
        for batch in ([1, 2], [3, 4], [5], [6]):
            stream.put(batch)
        assert stream.lost == 3
        assert [await anext(stream), await anext(stream)] == [[1, 2], [5]]
        stream.put([7, 8, 9, 10])
        stream.close()
        assert [batch async for batch in stream] == [[7, 8, 9, 10]]

    run(scenario)
