"""Clients with a stream: who they are, what they want to hear, and which program they are bound to."""

from __future__ import annotations

from dataclasses import dataclass, field

from bfrt.proto import bfruntime_pb2 as pb
from p4model.serving.outgoing import Outgoing

_LARGEST_NOTIFIED_ID = 0xFFFFFF
"""The driver's cookies hold client ids in 24 bits."""

Responses = Outgoing[pb.StreamMessageResponse]
"""What a stream has yet to send."""


@dataclass(eq=False, slots=True)
class Client:
    """A subscribed client."""

    id: int
    wants: pb.Notifications
    bound: bool = False
    outgoing: Responses = field(default_factory=Responses)

    def notify(self, message: pb.StreamMessageResponse) -> None:
        """Send a notification, which is lost if the id is above 24 bits."""
        if self.id <= _LARGEST_NOTIFIED_ID:
            self.outgoing.put(message)


class Clients:
    """All subscribed clients, by id."""

    def __init__(self) -> None:
        self._clients: dict[int, Client] = {}

    def get(self, id_: int) -> Client | None:
        """The client of this id."""
        return self._clients.get(id_)

    def subscribe(self, id_: int, wants: pb.Notifications, outgoing: Responses) -> Client | None:
        """Add a client; None if its id is taken."""
        if id_ in self._clients:
            return None
        client = self._clients[id_] = Client(id_, wants, outgoing=outgoing)
        return client

    def leave(self, client: Client) -> None:
        """Forget a client and its binding."""
        self._clients.pop(client.id, None)

    def bound(self) -> Client | None:
        """The client that is bound to the program."""
        return next((client for client in self._clients.values() if client.bound), None)

    def learner(self) -> Client | None:
        """The client that digests go to."""
        client = self.bound()
        return client if client is not None and client.wants.enable_learn_notifications else None

    def notify_ports(self, message: pb.StreamMessageResponse) -> None:
        """Tell every client that wants to hear of ports."""
        for client in self._clients.values():
            if client.wants.enable_port_status_change_notifications:
                client.notify(message)
