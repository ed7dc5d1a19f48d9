"""Who may write: one primary controller, and the others to take its place."""

from __future__ import annotations

import grpc
import pytest
from google.rpc import code_pb2

from p4model.p4runtime.arbitration import MOST_CONTROLLERS
from p4rt.proto import p4runtime_pb2 as pb
from tests.unit.p4model.calls import refusal
from tests.unit.p4model.p4runtime.rig import Rig, Stream, run, run_with_pipeline, uint128

LARGE = (5 << 64) + 3


def test_the_highest_election_id_is_primary() -> None:
    async def scenario(rig: Rig) -> None:
        async with rig.controller(2) as second:
            assert second.status is not None
            assert second.status.code == code_pb2.OK
            async with rig.controller(1) as first:
                assert first.status is not None
                assert first.status.code == code_pb2.ALREADY_EXISTS
                async with rig.controller(LARGE):
                    for stream in (first, second):
                        told = await stream.told()
                        assert told.status.code == code_pb2.ALREADY_EXISTS
                        assert told.election_id == uint128(LARGE)
                    await rig.set_pipeline(election_id=LARGE)
                    for id_ in (1, 2, 3):
                        error = await refusal(rig.set_pipeline(election_id=id_))
                        assert error.code() is grpc.StatusCode.PERMISSION_DENIED
                        assert f"{LARGE} is" in (error.details() or "")

    run(scenario)


def test_the_next_one_is_promoted() -> None:
    async def scenario(rig: Rig) -> None:
        async with rig.controller(1) as backup, rig.controller(None) as standby:
            async with rig.controller(9):
                assert (await backup.told()).status.code == code_pb2.ALREADY_EXISTS
                await standby.told()
            told = await backup.told()
            assert (told.status.code, told.election_id) == (code_pb2.OK, uint128(1))
            told = await standby.told()
            assert (told.status.code, told.election_id) == (code_pb2.ALREADY_EXISTS, uint128(1))
            await rig.set_pipeline(election_id=1)

    run(scenario)


def test_without_an_election_id_nobody_is_primary() -> None:
    async def scenario(rig: Rig) -> None:
        async with rig.controller(None) as standby:
            assert standby.status is not None
            assert standby.status.code == code_pb2.NOT_FOUND
            request = pb.WriteRequest()
            assert (await refusal(rig.stub.Write(request))).code() is grpc.StatusCode.PERMISSION_DENIED
            async with rig.controller(0):
                assert (await standby.told()).status.code == code_pb2.ALREADY_EXISTS
                error = await refusal(rig.stub.Write(request))
                assert error.code() is grpc.StatusCode.PERMISSION_DENIED
            told = await standby.told()
            assert (told.status.code, told.election_id) == (code_pb2.NOT_FOUND, uint128(0))

    run(scenario)


def test_an_election_id_can_change() -> None:
    async def scenario(rig: Rig) -> None:
        async with rig.controller(5) as one, rig.controller(4) as other:
            await one.arbitrate(6)
            assert one.status is not None
            assert one.status.code == code_pb2.OK
            await other.arbitrate(7)
            assert other.status is not None
            assert other.status.code == code_pb2.OK
            assert (await one.told()).status.code == code_pb2.ALREADY_EXISTS
            # Downgraded by its own wish.
            await other.claim(1)
            assert (await one.told()).status.code == code_pb2.OK
            assert (await other.told()).status.code == code_pb2.ALREADY_EXISTS
            # The same again is no news.
            await other.claim(1)
            await other.arbitrate(2)

    run(scenario)


def test_roles_have_their_own_primaries() -> None:
    async def scenario(rig: Rig) -> None:
        async with rig.controller(1), rig.controller(1, role="statistics") as other:
            assert other.status is not None
            assert other.status.code == code_pb2.OK
            await rig.set_pipeline(election_id=1, role="statistics")
            error = await refusal(rig.set_pipeline(election_id=1, role="routing"))
            assert error.code() is grpc.StatusCode.PERMISSION_DENIED

    run(scenario)


async def _ended(rig: Rig, *updates: pb.MasterArbitrationUpdate) -> grpc.StatusCode:
    """How a stream ends on which all but the last of the updates were answered."""
    stream = Stream(rig.stub)
    for update in updates[:-1]:
        await stream.send(arbitration=update)
        await stream.told()
    await stream.send(arbitration=updates[-1])
    return await stream.code()


_ONE = pb.MasterArbitrationUpdate(election_id=uint128(1))
_CONFIGURED = pb.MasterArbitrationUpdate(role=pb.Role(name="x"))
_CONFIGURED.role.config.SetInParent()


@pytest.mark.parametrize(
    ("updates", "code"),
    [
        ([pb.MasterArbitrationUpdate(device_id=1)], grpc.StatusCode.NOT_FOUND),
        ([_ONE, pb.MasterArbitrationUpdate(device_id=1)], grpc.StatusCode.FAILED_PRECONDITION),
        ([_ONE, pb.MasterArbitrationUpdate(role=pb.Role(name="x"))], grpc.StatusCode.FAILED_PRECONDITION),
        ([pb.MasterArbitrationUpdate(election_id=uint128(5))], grpc.StatusCode.INVALID_ARGUMENT),
        ([_ONE, pb.MasterArbitrationUpdate(election_id=uint128(5))], grpc.StatusCode.INVALID_ARGUMENT),
        ([_CONFIGURED], grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
def test_what_ends_a_stream(updates: list[pb.MasterArbitrationUpdate], code: grpc.StatusCode) -> None:
    async def scenario(rig: Rig) -> None:
        async with rig.controller(5):
            assert await _ended(rig, *updates) is code
            # And it leaves nothing behind.
            async with rig.controller(1):
                pass

    run(scenario)


def test_there_is_an_end_of_controllers() -> None:
    async def scenario(rig: Rig) -> None:
        streams = [Stream(rig.stub) for _ in range(MOST_CONTROLLERS)]
        for id_, stream in enumerate(streams):
            await stream.arbitrate(100 - id_)
        assert await _ended(rig, _ONE) is grpc.StatusCode.RESOURCE_EXHAUSTED
        for stream in reversed(streams):
            await stream.close()

    run(scenario)


def test_what_a_stream_cannot_say() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        async with rig.controller(0) as backup:
            packet = pb.PacketOut(payload=b"frame", metadata=[pb.PacketMetadata(metadata_id=1, value=b"1")])
            for stream, code in ((primary, code_pb2.UNIMPLEMENTED), (backup, code_pb2.PERMISSION_DENIED)):
                await stream.send(packet=packet)
                error = (await stream.receive()).error
                assert error.canonical_code == code
                assert error.packet_out.packet_out.metadata == packet.metadata
            ack = pb.DigestListAck(digest_id=1, list_id=2)
            await primary.send(digest_ack=ack)
            error = (await primary.receive()).error
            assert error.canonical_code == code_pb2.INVALID_ARGUMENT
            assert error.digest_list_ack.digest_list_ack == ack
            other = pb.StreamMessageRequest()
            other.other.SetInParent()
            await primary.call.write(other)
            error = (await primary.receive()).error
            assert error.canonical_code == code_pb2.UNIMPLEMENTED
            assert error.HasField("other")

    run_with_pipeline(scenario)


def test_what_is_said_before_the_arbitration_is_ignored() -> None:
    async def scenario(rig: Rig) -> None:
        stream = Stream(rig.stub)
        await stream.send()
        await stream.send(packet=pb.PacketOut())
        await stream.arbitrate(1)
        await stream.close()

    run(scenario)
