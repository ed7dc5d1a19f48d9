"""The program of a switch: verified, saved, committed, told, and replaced."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import grpc
import pytest

from p4model.device import Device, Program, Switch
from p4model.p4runtime import serve
from p4rt.proto import p4runtime_pb2 as pb
from tests.unit.p4model.calls import refusal
from tests.unit.p4model.p4runtime.rig import (
    CONFIG,
    IDS,
    INFO,
    LEARNED,
    LINES,
    TEXT,
    VERIFY_AND_COMMIT,
    Rig,
    Stream,
    compiled,
    entry,
    frame,
    line,
    run,
    run_with_pipeline,
    update,
)

_Set = pb.SetForwardingPipelineConfigRequest
_Get = pb.GetForwardingPipelineConfigRequest


def test_a_switch_without_a_program() -> None:
    async def scenario(rig: Rig) -> None:
        assert rig.switch.process(1, frame()).outputs == ()
        async with rig.controller():
            for call in (rig.write(), rig.read(), rig.pipeline()):
                error = await refusal(call)
                assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
                assert "no program yet" in (error.details() or "")

    run(scenario)


def test_a_program_is_told_as_it_was_set() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        assert await rig.pipeline() == CONFIG
        cookie = pb.ForwardingPipelineConfig(cookie=CONFIG.cookie)
        assert await rig.pipeline(_Get.COOKIE_ONLY) == cookie
        cookie.p4info.CopyFrom(INFO)
        assert await rig.pipeline(_Get.P4INFO_AND_COOKIE) == cookie
        cookie.ClearField("p4info")
        cookie.p4_device_config = TEXT.encode()
        assert await rig.pipeline(_Get.DEVICE_CONFIG_AND_COOKIE) == cookie

    run_with_pipeline(scenario)


def test_a_program_from_the_start() -> None:
    async def scenario(rig: Rig) -> None:
        assert await rig.pipeline() == pb.ForwardingPipelineConfig(p4info=INFO)
        assert await rig.entries(entry(LINES)) == []

    run(scenario, switch=Switch(Device(compiled(TEXT))))


def test_a_commit_empties_the_switch() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        digest = pb.DigestEntry(digest_id=IDS[LEARNED])
        await rig.write(update(pb.Update.INSERT, line(1, 2)), update(pb.Update.INSERT, digest))
        assert rig.switch.process(1, frame()).outputs[0][0] == 2
        await rig.set_pipeline()
        assert not rig.switch.process(1, frame()).outputs
        assert await rig.entries(entry(LINES)) == []
        assert (await refusal(rig.read(digest))).code() is grpc.StatusCode.NOT_FOUND
        await rig.insert(line(1, 3))
        assert rig.switch.process(1, frame()).outputs[0][0] == 3

    run_with_pipeline(scenario)


def test_verification_changes_nothing() -> None:
    async def scenario(rig: Rig) -> None:
        async with rig.controller():
            await rig.set_pipeline(kind=_Set.VERIFY)
            assert (await refusal(rig.pipeline())).code() is grpc.StatusCode.FAILED_PRECONDITION
            await rig.set_pipeline()
            await rig.insert(line(1, 2))
            await rig.set_pipeline(kind=_Set.VERIFY)
            assert len(await rig.entries(entry(LINES))) == 1

    run(scenario)


def test_a_controller_that_is_demoted_while_its_program_is_compiled_commits_nothing() -> None:
    compiling, released = threading.Event(), threading.Event()

    def compile_(text: str) -> Program:
        compiling.set()
        assert released.wait(10)
        return compiled(text)

    async def scenario(rig: Rig) -> None:
        async with rig.controller():
            refused = asyncio.create_task(refusal(rig.set_pipeline()))
            assert await asyncio.to_thread(compiling.wait, 10)
            async with rig.controller(2):
                released.set()
                assert (await refused).code() is grpc.StatusCode.PERMISSION_DENIED
                assert rig.switch.device is None

    run(scenario, compile_=compile_)


def test_a_saved_program_takes_entries_until_it_is_committed() -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        await rig.insert(line(1, 2))
        await rig.set_pipeline(kind=_Set.VERIFY_AND_SAVE)
        await rig.set_pipeline(kind=_Set.VERIFY_AND_SAVE)
        assert await rig.entries(entry(LINES)) == []
        await rig.insert(line(1, 3))
        assert rig.switch.process(1, frame()).outputs[0][0] == 2
        await rig.set_pipeline(None, _Set.COMMIT)
        assert rig.switch.process(1, frame()).outputs[0][0] == 3
        error = await refusal(rig.set_pipeline(None, _Set.COMMIT))
        assert error.code() is grpc.StatusCode.NOT_FOUND

    run_with_pipeline(scenario)


def _other_info() -> pb.ForwardingPipelineConfig:
    config = pb.ForwardingPipelineConfig()
    config.CopyFrom(CONFIG)
    config.p4info.tables[0].size += 1
    return config


def _device_config(data: bytes) -> pb.ForwardingPipelineConfig:
    return pb.ForwardingPipelineConfig(p4info=INFO, p4_device_config=data)


@pytest.mark.parametrize(
    ("request_", "code", "told"),
    [
        ({"kind": _Set.UNSPECIFIED}, grpc.StatusCode.INVALID_ARGUMENT, "the action is not set"),
        ({"kind": _Set.COMMIT}, grpc.StatusCode.INVALID_ARGUMENT, "COMMIT takes no config"),
        ({"kind": _Set.RECONCILE_AND_COMMIT}, grpc.StatusCode.UNIMPLEMENTED, "RECONCILE_AND_COMMIT is not supported"),
        ({"config": None}, grpc.StatusCode.INVALID_ARGUMENT, "config is missing"),
        ({"config": _device_config(b"")}, grpc.StatusCode.INVALID_ARGUMENT, "p4_device_config is empty; p4modelc"),
        ({"config": _device_config(b"\xff")}, grpc.StatusCode.INVALID_ARGUMENT, "is no P4 source"),
        (
            {"config": _device_config(b'#line 3 "a.p4"\nheader {')},
            grpc.StatusCode.INVALID_ARGUMENT,
            "p4_device_config is no program: a.p4:3:",
        ),
        ({"config": _other_info()}, grpc.StatusCode.INVALID_ARGUMENT, "table Pipeline.lines: size is 4, but 3"),
        ({"device_id": 1}, grpc.StatusCode.NOT_FOUND, "there is no device 1, only 0"),
        ({"election_id": 2}, grpc.StatusCode.PERMISSION_DENIED, "not the primary one"),
    ],
)
def test_what_is_refused(request_: dict[str, Any], code: grpc.StatusCode, told: str) -> None:
    async def scenario(rig: Rig, primary: Stream) -> None:
        await rig.insert(line(1, 2))
        error = await refusal(rig.set_pipeline(**{"kind": VERIFY_AND_COMMIT, **request_}))
        assert error.code() is code
        assert told in (error.details() or "")
        assert len(await rig.entries(entry(LINES))) == 1

    run_with_pipeline(scenario)


def test_the_version_of_the_protocol() -> None:
    async def scenario(rig: Rig) -> None:
        response = await rig.stub.Capabilities(pb.CapabilitiesRequest(), timeout=10)
        assert response.p4runtime_api_version == "1.5.0"

    run(scenario)


def test_an_address_that_is_taken() -> None:
    async def scenario(rig: Rig) -> None:
        with pytest.raises(OSError, match=f"cannot listen on {rig.address}"):
            await serve(rig.switch, rig.address)

    run(scenario)
