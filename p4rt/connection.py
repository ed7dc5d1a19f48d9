"""One life of a connection to a server: from becoming the primary controller to the end of that, or of the stream."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

import grpc

import rpc.connection
from p4rt import status
from p4rt.errors import P4rtError, Refused, Unavailable
from p4rt.pipeline import Pipeline
from p4rt.proto import p4runtime_pb2 as pb
from p4rt.schema import DigestSchema
from p4rt.update import Update, of
from rpc.connection import cancelled
from rpc.failures import Failure, WriteFailed
from rpc.status import of_request

_log = logging.getLogger(__name__)

_SERVICE = "p4.v1.P4Runtime"
_COMMIT = 60.0
"""Seconds for a server to take a pipeline: some compile it."""
_DIGESTS = pb.DigestEntry.Config(max_list_size=1)
"""Each digest at once, and as often as it is raised. With longer lists, bmv2 holds digests back for 100 ms and more;
with an ack timeout, also new ones that equal those of a list whose acknowledgement it missed."""
IN_USE = frozenset({grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.ALREADY_EXISTS})
"""Another stream has our election id; until the server has noticed that the stream before is gone, that is ours."""


class Connection(rpc.connection.Connection[pb.StreamMessageRequest, pb.StreamMessageResponse]):
    """`open`, then `listen`; of no more use as soon as that has ended."""

    REFUSALS = IN_USE | {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION}

    def __init__(self, address: str, pipeline: Pipeline, device_id: int, election_id: int, timeout: float) -> None:
        super().__init__(address, _SERVICE, pb.StreamMessageRequest, pb.StreamMessageResponse)
        self._pipeline, self._device_id, self._timeout = pipeline, device_id, timeout
        self._election_id = pb.Uint128(high=election_id >> 64, low=election_id & ((1 << 64) - 1))
        # Requests to write are joined from serialised updates.
        self._write = self._unary("Write", None, pb.WriteResponse)
        self._head = pb.WriteRequest(device_id=device_id, election_id=self._election_id).SerializeToString()
        self._read = self._streaming("Read", pb.ReadRequest, pb.ReadResponse)
        self._set_pipeline = self._unary(
            "SetForwardingPipelineConfig",
            pb.SetForwardingPipelineConfigRequest,
            pb.SetForwardingPipelineConfigResponse,
        )
        self._get_pipeline = self._unary(
            "GetForwardingPipelineConfig",
            pb.GetForwardingPipelineConfigRequest,
            pb.GetForwardingPipelineConfigResponse,
        )

    async def open(self, digests: Sequence[DigestSchema], backup: Callable[[str], None] | None = None) -> None:
        """Become the primary controller, have the pipeline in force, and ask for `digests`; `listen` comes next.

        A pipeline that is in force already, by its cookie, is left as it is with all its entries. While another
        controller is primary: waits as its backup without limit, having told `backup` why; without that, raises
        Refused. Raises Unavailable and Refused; `close` is due then as ever.
        """
        try:
            async with asyncio.timeout(self._timeout):
                reason = await self._arbitrate()
        except TimeoutError:
            raise Unavailable(f"no answer to the arbitration in {self._timeout:g} s") from None
        if reason and backup is None:
            raise Refused(reason, grpc.StatusCode.PERMISSION_DENIED)
        while reason and backup is not None:
            backup(reason)
            reason = await self._next_primary(reason)
        if not await self._is_in_force():
            await self._commit()
        await self._ask_for(digests)

    async def write(self, updates: Sequence[Update], timeout: float) -> tuple[Failure, ...]:
        """One Write; gives the updates that failed, all others having been applied.

        Raises WriteFailed if the server did not say which, Refused, and Unavailable (and is of no more use then).
        """
        request = self._head + b"".join([update.wire for update in updates])
        try:
            await self._write(request, timeout=timeout)
        except grpc.aio.AioRpcError as error:
            outcome = status.of_write(error, updates)
            if isinstance(outcome, P4rtError):
                raise outcome from error
            return outcome
        except (asyncio.CancelledError, grpc.aio.UsageError):
            raise cancelled("write") from None
        return ()

    async def read(self, what: str, entities: Sequence[pb.Entity], timeout: float) -> list[pb.Entity]:
        """What the server has for `entities`, that is for `what`; raises Refused and Unavailable."""
        request = pb.ReadRequest(device_id=self._device_id, entities=entities)
        try:
            return [found async for answer in self._read(request, timeout=timeout) for found in answer.entities]
        except grpc.aio.AioRpcError as error:
            raise status.of_whole(error, f"read of {what}") from error
        except (asyncio.CancelledError, grpc.aio.UsageError):
            raise cancelled("read") from None

    # ---- opening

    async def _arbitrate(self) -> str:
        """Gives why we are not the primary controller, if so."""
        what = f"arbitration of election id {_number(self._election_id)} of device {self._device_id}"
        request = pb.MasterArbitrationUpdate(device_id=self._device_id, election_id=self._election_id)
        try:
            answer = await self._exchange(pb.StreamMessageRequest(arbitration=request), what)
        except Refused as error:
            if error.code in IN_USE:
                raise Refused(f"{error}; each controller of a device needs its own election id", error.code) from None
            raise
        return self._rivalry(answer.arbitration)

    async def _next_primary(self, reason: str) -> str:
        """What becomes of `reason` with the next message of the stream."""
        try:
            message = await self._stream.read()
        except grpc.aio.AioRpcError as error:
            raise of_request(error, "waiting as a backup") from error
        if not isinstance(message, pb.StreamMessageResponse):
            raise Unavailable("waiting as a backup: the server ended the stream")
        return self._rivalry(message.arbitration) if message.HasField("arbitration") else reason

    def _rivalry(self, arbitration: pb.MasterArbitrationUpdate) -> str:
        """Why we are not the primary controller, or nothing if we are."""
        if not arbitration.status.code:
            return ""
        mine, highest = _number(self._election_id), _number(arbitration.election_id)
        if arbitration.status.code == grpc.StatusCode.NOT_FOUND.value[0]:
            return f"the switch has seen election id {highest}: use that or a higher one (ours is {mine})"
        return (
            f"another controller is primary, election id {highest}: stop it, "
            f"or use a higher election id than that (ours is {mine})"
        )

    async def _is_in_force(self) -> bool:
        request = pb.GetForwardingPipelineConfigRequest(
            device_id=self._device_id, response_type=pb.GetForwardingPipelineConfigRequest.COOKIE_ONLY
        )
        try:
            answer = await self._get_pipeline(request, timeout=self._timeout)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.FAILED_PRECONDITION:
                return False  # there is no pipeline yet
            raise of_request(error, "question for the pipeline in force") from error
        return answer.config.HasField("cookie") and answer.config.cookie.cookie == self._pipeline.cookie

    async def _commit(self) -> None:
        request = pb.SetForwardingPipelineConfigRequest(
            device_id=self._device_id,
            election_id=self._election_id,
            action=pb.SetForwardingPipelineConfigRequest.VERIFY_AND_COMMIT,
            config=self._pipeline.message,
        )
        try:
            await self._set_pipeline(request, timeout=max(self._timeout, _COMMIT))
        except grpc.aio.AioRpcError as error:
            raise of_request(error, "set pipeline") from error

    async def _ask_for(self, digests: Sequence[DigestSchema]) -> None:
        if not digests:
            return
        entries = [pb.DigestEntry(digest_id=digest.id, config=_DIGESTS) for digest in digests]
        updates = [
            of(digest, pb.Update.INSERT, pb.Entity(digest_entry=entry))
            for digest, entry in zip(digests, entries, strict=True)
        ]
        failures = await self.write(updates, self._timeout)
        # What a connection before asked for is still asked for.
        wrong = tuple(failure for failure in failures if failure.code is not grpc.StatusCode.ALREADY_EXISTS)
        if wrong:
            raise WriteFailed("request for digests", wrong, len(updates))

    # ---- the stream

    async def _handle(
        self, message: pb.StreamMessageResponse, receive: Callable[[pb.StreamMessageResponse], None]
    ) -> str:
        match message.WhichOneof("update"):
            case "arbitration":
                return self._rivalry(message.arbitration)
            case "error":
                _log.warning("the server did not understand a message: %s", message.error.message)
            case "digest":
                receive(message)
                ack = pb.DigestListAck(digest_id=message.digest.digest_id, list_id=message.digest.list_id)
                # If the stream has ended, reading it tells.
                with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
                    await self._stream.write(pb.StreamMessageRequest(digest_ack=ack))
            case _:
                receive(message)
        return ""


def _number(election_id: pb.Uint128) -> int:
    return election_id.high << 64 | election_id.low
