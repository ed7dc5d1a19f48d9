"""What the primary controller hears of the packets: lists of digests, and idle entries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

from p4model.device import Device, Switch
from p4model.p4runtime.ageing import Ageing
from p4model.p4runtime.configuration import Configuration
from p4model.p4runtime.digests import ServedDigest
from p4model.p4runtime.forwarding import Forwarding
from p4model.state.record import Record
from p4rt.proto import p4runtime_pb2 as pb
from tests.unit.p4model.p4runtime.rig import (
    CONFIG,
    DELETE,
    IDS,
    INSERT,
    LEARNED,
    LINES,
    MODIFY,
    Rig,
    Stream,
    compiled,
    entry,
    exact,
    frame,
    line,
    named,
    run_with_pipeline,
    update,
)

_Set = pb.SetForwardingPipelineConfigRequest
_MILLISECOND = 1_000_000
_SECOND = 1000 * _MILLISECOND
_HOUR = 3600 * _SECOND


def digest(**config: int) -> pb.DigestEntry:
    return pb.DigestEntry(digest_id=IDS[LEARNED], config=config)


async def learned(stream: Stream) -> tuple[int, list[tuple[int, ...]]]:
    """The id and the data of the next list."""
    message = await stream.receive()
    assert message.digest.digest_id == IDS[LEARNED], message
    assert message.digest.timestamp
    data = [tuple(int.from_bytes(member.bitstring) for member in one.struct.members) for one in message.digest.data]
    return message.digest.list_id, data


def pass_frames(rig: Rig, sources: Iterable[int]) -> None:
    for source in sources:
        rig.switch.process(1, frame(source=source))


def test_each_digest_is_sent_at_once() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        pass_frames(rig, [9])
        await rig.write(update(INSERT, digest()))
        pass_frames(rig, [5, 5, 0])
        assert [await learned(primary) for _ in range(3)] == [(1, [(5, 1)]), (2, [(5, 1)]), (3, [(0, 1)])]

    run_with_pipeline(scenario)


def test_digests_come_in_lists_without_repetition() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        await rig.write(update(INSERT, digest(max_list_size=3, max_timeout_ns=_HOUR)))
        pass_frames(rig, [5, 6, 5, 6, 7, 8])
        assert await learned(primary) == (1, [(5, 1), (6, 1), (7, 1)])
        # A list that has waited long enough.
        await rig.write(update(MODIFY, digest(max_timeout_ns=_MILLISECOND)))
        await rig.write(update(DELETE, digest()), update(INSERT, digest(max_timeout_ns=_MILLISECOND)))
        pass_frames(rig, [9, 10])
        assert await learned(primary) == (2, [(9, 1), (10, 1)])

    run_with_pipeline(scenario)


def test_a_list_that_is_longer_than_lists_may_be_now() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        await rig.write(update(INSERT, digest(max_list_size=3, max_timeout_ns=_HOUR)))
        pass_frames(rig, [5, 6])
        await rig.write(update(MODIFY, digest(max_list_size=1, max_timeout_ns=_HOUR)))
        pass_frames(rig, [7, 8])
        assert await learned(primary) == (1, [(5, 1), (6, 1), (7, 1)])
        assert await learned(primary) == (2, [(8, 1)])

    run_with_pipeline(scenario)


def test_what_is_not_acknowledged_is_not_repeated() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        await rig.write(update(INSERT, digest(ack_timeout_ns=_HOUR)))
        pass_frames(rig, [5, 5, 6])
        assert await learned(primary) == (1, [(5, 1)])
        assert await learned(primary) == (2, [(6, 1)])
        for unknown in (1, 1, 99):
            await primary.send(digest_ack=pb.DigestListAck(digest_id=IDS[LEARNED], list_id=unknown))
        await primary.arbitrate(2)  # Answered behind the acknowledgements.
        pass_frames(rig, [6, 5])
        assert await learned(primary) == (3, [(5, 1)])

    run_with_pipeline(scenario)


def test_what_is_not_acknowledged_is_repeated_in_the_end() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        await rig.write(update(INSERT, digest(ack_timeout_ns=_MILLISECOND)))
        for list_id in (1, 2, 3):
            heard = asyncio.create_task(learned(primary))
            while not heard.done():
                pass_frames(rig, [5])
                await rig.read()
            assert await heard == (list_id, [(5, 1)])

    run_with_pipeline(scenario)


def test_backups_hear_nothing() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        await rig.write(update(INSERT, digest()))
        async with rig.controller(0) as backup:
            pass_frames(rig, [5])
            assert await learned(primary) == (1, [(5, 1)])
            await primary.close()
            assert (await backup.told()).election_id == pb.Uint128()
            pass_frames(rig, [6])
            assert await learned(backup) == (2, [(6, 1)])

    run_with_pipeline(scenario)


def test_a_replaced_program_is_silent() -> None:
    sent: list[pb.StreamMessageResponse] = []

    def forward(device: Device, config: pb.ForwardingPipelineConfig) -> Forwarding:
        return Forwarding(device, config, time.monotonic, sent.append)

    async def scenario() -> None:
        configuration = Configuration(Switch(), compiled, forward)
        for action in (_Set.VERIFY_AND_COMMIT, _Set.VERIFY_AND_SAVE):
            await configuration.set(_Set(action=action, config=CONFIG), lambda: None)
        replaced = configuration.running
        assert replaced is not None
        one = replaced.digest(IDS[LEARNED])
        one.insert(digest(max_timeout_ns=_MILLISECOND))
        one.learn((5, 1))
        assert replaced.device.process(1, frame(source=6)).digests  # They are heard behind the commit.
        await configuration.set(_Set(action=_Set.COMMIT), lambda: None)
        await asyncio.sleep(2 * _MILLISECOND / _SECOND)  # The list would be sent before this ends.
        assert not sent

    asyncio.run(scenario())


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_idle_entries_are_told_again_and_again() -> None:
    clock = Clock()

    async def scenario(rig: Rig, primary: Stream) -> None:
        timeout: dict[str, Any] = {"idle_timeout_ns": 20 * _SECOND, "metadata": b"mine"}
        await rig.insert(line(1, 2, **timeout), line(2, 3))
        for clock.now in (20, 40):
            message = (await primary.receive()).idle_timeout_notification
            assert list(message.table_entry) == [entry(LINES, exact(1, 1), **timeout)]
            assert message.timestamp
        await rig.write(update(MODIFY, line(1, 2)), update(MODIFY, line(2, 3, **timeout)))
        clock.now = 60
        message = (await primary.receive()).idle_timeout_notification
        assert named(message.table_entry) == [2]

    run_with_pipeline(scenario, sweep_interval=0.005, clock=clock)


def test_the_time_since_the_last_packet() -> None:
    clock = Clock()

    async def scenario(rig: Rig, primary: Stream) -> None:
        async def elapsed() -> list[int]:
            read = await rig.entries(entry(LINES, time_since_last_hit={}))
            assert all(one.HasField("time_since_last_hit") for one in read)
            return [one.time_since_last_hit.elapsed_ns for one in read]

        await rig.insert(line(1, 2, idle_timeout_ns=_HOUR), line(2, 3))
        clock.now = 30
        assert await elapsed() == [30 * _SECOND, 0]
        for port in (1, 2):
            rig.switch.process(port, frame())
        assert await elapsed() == [0, 0]
        clock.now = 37
        assert await elapsed() == [7 * _SECOND, 0]

    run_with_pipeline(scenario, clock=clock)


def test_timers() -> None:
    """Without a clock: expiry at the time-out, again one time-out later, put off by packets, and ended."""
    records: dict[tuple[int, ...], Record] = {(1,): Record((True, 0, ())), (2,): Record((True, 0, ()))}
    ageing = Ageing(records)
    ageing.start((1,), 10, now=100)
    ageing.start((2,), 0, now=100)
    assert list(ageing.sweep(109)) == []
    assert list(ageing.sweep(110)) == [(1,)]
    assert list(ageing.sweep(119)) == []
    assert list(ageing.sweep(121)) == [(1,)]
    assert ageing.elapsed((1,), 125) == 10
    records[1,].hit = True
    assert list(ageing.sweep(131)) == []
    assert list(ageing.sweep(140)) == []
    assert ageing.elapsed((1,), 140) == 9
    ageing.start((1,), 5, now=140)
    assert list(ageing.sweep(144)) == []
    assert list(ageing.sweep(145)) == [(1,)]
    assert ageing.elapsed((2,), 145) == 0
    ageing.start((1,), 0, now=150)
    ageing.forget((2,))
    assert list(ageing.sweep(1000)) == []


def test_a_list_that_ends_before_its_time() -> None:
    async def scenario() -> None:
        sent: list[Any] = []
        served = ServedDigest(IDS[LEARNED], LEARNED, sent.append)
        served.insert(digest(max_timeout_ns=_MILLISECOND))
        served.learn((1, 2))
        served.close()
        served.close()
        loop = asyncio.get_running_loop()
        passed = loop.create_future()
        loop.call_later(0.002, passed.set_result, None)
        await passed
        assert sent == []

    asyncio.run(scenario())
