"""What a server sends on its stream."""

from __future__ import annotations

import pytest

from p4rt import Idle
from p4rt.proto import p4runtime_pb2 as pb
from tests.unit.p4rt import scripted
from tests.unit.p4rt.running import PIPELINE, opened
from tests.unit.p4rt.scripted import Script, digest
from tests.unit.rpc.running import run, until

CONNECTIONS = PIPELINE.schema.table("connections")
ENDED = PIPELINE.schema.digest("ended_t").id


def idle(table_id: int, *values: int) -> pb.StreamMessageResponse:
    match = [
        pb.FieldMatch(field_id=index, exact=pb.FieldMatch.Exact(value=bytes((value,))))
        for index, value in enumerate(values, 1)
    ]
    entry = pb.TableEntry(table_id=table_id, match=match)
    return pb.StreamMessageResponse(idle_timeout_notification=pb.IdleTimeoutNotification(table_entry=[entry, entry]))


def test_lists_are_acknowledged_whether_somebody_reads_them_or_not(address: str) -> None:
    async def scenario() -> None:
        script = Script()
        async with scripted.serving(script, address), await opened(address, digests=["ended_t"]) as session:
            script.send(digest(1, 2, list_id=7))
            await until(lambda: len(script.acks) == 1)
            assert session.lost == 2
            first, second = session.digests("ended_t"), session.digests("ended_t")
            script.send(digest(3, 1 << 40, list_id=8))
            for stream in (first, second):
                assert await anext(stream) == [(3, 7), (1 << 40, 7)]
            await until(lambda: len(script.acks) == 2)
            assert script.acks == [pb.DigestListAck(digest_id=ENDED, list_id=each) for each in (7, 8)]

    run(scenario)


def test_idle_entries(address: str) -> None:
    async def scenario() -> None:
        script = Script()
        async with scripted.serving(script, address), await opened(address) as session:
            script.send(idle(CONNECTIONS.id, 1, 2))
            await until(lambda: session.lost == 2)
            stream = session.idle()
            script.send(idle(CONNECTIONS.id, 3, 4))
            assert await anext(stream) == [Idle("SwitchIngress.connections", (3, 4))] * 2

    run(scenario)


def test_what_cannot_be_understood_is_dropped_and_told(address: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        script = Script()
        async with scripted.serving(script, address), await opened(address, digests=["ended_t"]) as session:
            stream = session.digests("ended_t")
            short = digest(1)
            del short.digest.data[0].struct.members[0]
            for message in (
                digest(1, digest_id=5),
                short,
                idle(5, 1),
                idle(CONNECTIONS.id, 1),
                pb.StreamMessageResponse(error=pb.StreamError(message="what was that?")),
                pb.StreamMessageResponse(packet=pb.PacketIn(payload=b"x")),
                digest(1),
            ):
                script.send(message)
            assert await anext(stream) == [(1, 7)]
            assert session.lost == 4

    run(scenario)
    for words in (
        "digest id 0x5 is not in the program's schema",
        "with 1 members instead of 2",
        "table id 0x5 is not in the program's schema",
        "without its key field kind",
        "did not understand a message: what was that?",
    ):
        assert words in caplog.text
