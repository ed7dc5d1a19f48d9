"""The forwarding pipeline's configuration: which program a switch runs (P4Runtime sections 14 and 15)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NoReturn

import grpc

from p4model.device import Device, Program, Switch
from p4model.language.errors import P4Error
from p4model.p4runtime.difference import differences
from p4model.p4runtime.forwarding import Forwarding
from p4model.p4runtime.p4info import p4info
from p4model.serving.status import RequestError
from p4rt.proto import p4runtime_pb2 as pb

Compile = Callable[[str], Program]
"""Makes a program of the text that is its device configuration; raises P4Error."""

_Set = pb.SetForwardingPipelineConfigRequest
_Get = pb.GetForwardingPipelineConfigRequest
_SHOWN = 5
"""Differences between two p4infos that an error lists."""


class Configuration:
    """The programs of a switch: the one that it runs, and one that is saved to take its place."""

    def __init__(
        self, switch: Switch, compile_: Compile, forward: Callable[[Device, pb.ForwardingPipelineConfig], Forwarding]
    ) -> None:
        self._switch = switch
        self._compile = compile_
        self._forward = forward
        self._running: Forwarding | None = None
        self._saved: Forwarding | None = None
        self._changing = asyncio.Lock()
        if switch.device is not None:
            config = pb.ForwardingPipelineConfig(p4info=p4info(switch.device.info))
            self._running = forward(switch.device, config)

    @property
    def running(self) -> Forwarding | None:
        """What takes the packets."""
        return self._running

    @property
    def current(self) -> Forwarding:
        """What requests are about: the saved program if there is one, else the running one; raises RequestError."""
        forwarding = self._saved or self._running
        if forwarding is None:
            raise RequestError(
                grpc.StatusCode.FAILED_PRECONDITION,
                "the switch has no program yet; set one with SetForwardingPipelineConfig",
            )
        return forwarding

    async def set(self, request: pb.SetForwardingPipelineConfigRequest, admit: Callable[[], None]) -> None:
        """Verify, save or commit a program; raises RequestError, and then nothing has changed.

        `admit` raises it unless the controller is the primary one, which may change while programs are compiled.
        """
        async with self._changing:
            admit()
            if request.action in (_Set.VERIFY, _Set.VERIFY_AND_SAVE, _Set.VERIFY_AND_COMMIT):
                program = await self._verified(request)
                admit()
                if request.action != _Set.VERIFY:
                    self._save(self._forward(Device(program), request.config))
            elif request.action != _Set.COMMIT:
                _refuse_action(request.action)
            elif request.HasField("config"):
                raise RequestError(grpc.StatusCode.INVALID_ARGUMENT, "COMMIT takes no config, but what was saved")
            elif self._saved is None:
                raise RequestError(grpc.StatusCode.NOT_FOUND, "nothing was saved that could be committed")
            if request.action in (_Set.VERIFY_AND_COMMIT, _Set.COMMIT):
                self._commit()

    def get(self, kind: int) -> pb.ForwardingPipelineConfig:
        """What was set, as far as it is asked for; raises RequestError."""
        config = self.current.config
        answer = pb.ForwardingPipelineConfig()
        if kind in (_Get.ALL, _Get.P4INFO_AND_COOKIE):
            answer.p4info.CopyFrom(config.p4info)
        if kind in (_Get.ALL, _Get.DEVICE_CONFIG_AND_COOKIE):
            answer.p4_device_config = config.p4_device_config
        if config.HasField("cookie"):
            answer.cookie.CopyFrom(config.cookie)
        return answer

    def close(self) -> None:
        """Hear nothing of the programs any more."""
        for forwarding in (self._saved, self._running):
            if forwarding is not None:
                forwarding.close()

    def _save(self, forwarding: Forwarding) -> None:
        if self._saved is not None:
            self._saved.close()
        self._saved = forwarding

    def _commit(self) -> None:
        assert self._saved is not None
        if self._running is not None:
            self._running.close()
        self._running, self._saved = self._saved, None
        self._switch.device = self._running.device

    async def _verified(self, request: pb.SetForwardingPipelineConfigRequest) -> Program:
        """The program of a request, compiled while others are served."""
        if not request.HasField("config"):
            _refuse("config is missing")
        config = request.config
        try:
            text = config.p4_device_config.decode()
        except UnicodeDecodeError as error:
            _refuse(f"p4_device_config is no P4 source ({error}); p4modelc writes what is wanted")
        if not text:
            _refuse("p4_device_config is empty; p4modelc writes what is wanted")
        try:
            program = await asyncio.to_thread(self._compile, text)
        except P4Error as error:
            _refuse(f"p4_device_config is no program: {error}")
        found = list(differences(config.p4info, p4info(program.info)))
        if found:
            more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            _refuse(f"p4info is not that of the program in p4_device_config: {'; '.join(found[:_SHOWN])}{more}")
        return program


def _refuse(message: str) -> NoReturn:
    raise RequestError(grpc.StatusCode.INVALID_ARGUMENT, message)


def _refuse_action(action: int) -> NoReturn:
    if action == _Set.RECONCILE_AND_COMMIT:
        raise RequestError(grpc.StatusCode.UNIMPLEMENTED, "RECONCILE_AND_COMMIT is not supported")
    _refuse("the action is not set")
