"""Which controller may write: arbitration by election ids, one primary for each role (P4Runtime section 5)."""

from __future__ import annotations

from dataclasses import dataclass

import grpc
from google.rpc import code_pb2

from p4model.serving.outgoing import Outgoing
from p4model.serving.status import RequestError
from p4rt.proto import p4runtime_pb2 as pb

MOST_CONTROLLERS = 16
"""Controllers with a stream, of all roles."""

Responses = Outgoing[pb.StreamMessageResponse]
"""What a stream has yet to send."""


@dataclass(eq=False, slots=True)
class Controller:
    """A controller with a stream; without an election id it is never primary."""

    role: str
    election_id: int | None
    outgoing: Responses


class Arbitration:
    """All controllers of a device. Every role may do everything: no configuration of roles is known."""

    def __init__(self, device_id: int) -> None:
        self._device_id = device_id
        self._controllers: list[Controller] = []
        self._highest: dict[str, int] = {}
        """The highest election id of a primary so far, by role."""

    def join(self, update: pb.MasterArbitrationUpdate, outgoing: Responses) -> Controller:
        """Add a controller by the first message of its stream; raises RequestError, which ends the stream."""
        _require_plain(update)
        if len(self._controllers) >= MOST_CONTROLLERS:
            raise RequestError(
                grpc.StatusCode.RESOURCE_EXHAUSTED, f"there are {MOST_CONTROLLERS} controllers, which is the most"
            )
        controller = Controller(update.role.name, None, outgoing)
        self._elect(controller, election_id(update))
        return controller

    def update(self, controller: Controller, update: pb.MasterArbitrationUpdate) -> None:
        """Give a controller another election id; raises RequestError, which ends the stream."""
        _require_plain(update)
        if update.role.name != controller.role:
            raise RequestError(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"the stream is that of the role {controller.role!r}; open another one for {update.role.name!r}",
            )
        wanted = election_id(update)
        if wanted != controller.election_id:
            self._elect(controller, wanted)

    def leave(self, controller: Controller) -> None:
        """Forget a controller whose stream has ended; the next one is promoted if it was primary."""
        was_primary = self.primary(controller.role) is controller
        self._controllers.remove(controller)
        if was_primary:
            self._tell_all(controller.role)

    def primary(self, role: str) -> Controller | None:
        """The primary controller of a role: the live one with the highest election id."""
        candidates = [(one.election_id, one) for one in self._of(role) if one.election_id is not None]
        return max(candidates, key=lambda candidate: candidate[0])[1] if candidates else None

    def require_primary(self, role: str, election_id_: int | None) -> None:
        """Raise RequestError unless a request with this election id is that of the primary."""
        primary = self.primary(role)
        if primary is None or primary.election_id != election_id_:
            is_primary = "none is" if primary is None else f"that with the election id {primary.election_id} is"
            raise RequestError(
                grpc.StatusCode.PERMISSION_DENIED,
                f"the controller with the election id {election_id_} is not the primary one; {is_primary}",
            )

    def notify(self, message: pb.StreamMessageResponse) -> None:
        """Send a notification to the primary controllers."""
        for role in {controller.role for controller in self._controllers}:
            primary = self.primary(role)
            if primary is not None:
                primary.outgoing.put(message)

    def _elect(self, controller: Controller, wanted: int | None) -> None:
        role = controller.role
        if wanted is not None and any(one.election_id == wanted for one in self._of(role)):
            raise RequestError(grpc.StatusCode.INVALID_ARGUMENT, f"another controller has the election id {wanted}")
        before = self.primary(role)
        if controller not in self._controllers:
            self._controllers.append(controller)
        controller.election_id = wanted
        if self.primary(role) is before:
            self._tell(controller)
        else:
            self._tell_all(role)

    def _of(self, role: str) -> list[Controller]:
        return [controller for controller in self._controllers if controller.role == role]

    def _tell_all(self, role: str) -> None:
        for controller in self._of(role):
            self._tell(controller)

    def _tell(self, controller: Controller) -> None:
        """Tell a controller who is primary (P4Runtime section 5.4)."""
        role = controller.role
        primary = self.primary(role)
        if primary is not None and primary.election_id is not None:
            self._highest[role] = primary.election_id
        message = pb.StreamMessageResponse()
        told = message.arbitration
        told.device_id = self._device_id
        if role:
            told.role.name = role
        if role in self._highest:
            told.election_id.high, told.election_id.low = divmod(self._highest[role], 1 << 64)
        if primary is None:
            told.status.code, told.status.message = code_pb2.NOT_FOUND, "there is no primary controller"
        elif primary is controller:
            told.status.code, told.status.message = code_pb2.OK, "is the primary controller"
        else:
            told.status.code, told.status.message = code_pb2.ALREADY_EXISTS, "is a backup controller"
        controller.outgoing.put(message)


def _require_plain(update: pb.MasterArbitrationUpdate) -> None:
    """Raise RequestError if an update configures its role."""
    if update.role.HasField("config"):
        raise RequestError(grpc.StatusCode.INVALID_ARGUMENT, "no configuration of roles is known")


def election_id(
    message: pb.MasterArbitrationUpdate | pb.WriteRequest | pb.SetForwardingPipelineConfigRequest,
) -> int | None:
    """The election id of a message, None if it has none."""
    if not message.HasField("election_id"):
        return None
    return message.election_id.high << 64 | message.election_id.low
