"""The digests and idle-time notifications of a session."""

from __future__ import annotations

from dataclasses import dataclass

from bfrt.codec import decode_key, digest_decoder
from bfrt.errors import ProtocolError
from bfrt.proto import bfruntime_pb2 as pb
from bfrt.schema import Schema
from rpc import notifications
from rpc.values import KeyValue


@dataclass(frozen=True, slots=True)
class Ageing:
    """An entry that went idle, or became active again; the server keeps it either way."""

    table: str
    key: tuple[KeyValue, ...]
    active: bool


class Notifications(notifications.Notifications[pb.StreamMessageResponse, pb.TableData, Ageing]):
    """The streams of a session, fed from its connections."""

    def __init__(self, schema: Schema) -> None:
        super().__init__({learn.id: digest_decoder(learn) for learn in schema.filters})
        self._schema = schema

    def _sort(self, message: pb.StreamMessageResponse) -> None:
        match message.WhichOneof("update"):
            case "digest":
                self._give_digests(message.digest.digest_id, message.digest.data)
            case "idle_timeout_notification":
                self._give_idle((self._ageing(message.idle_timeout_notification),))

    def _ageing(self, message: pb.IdleTimeoutNotification) -> Ageing:
        table = self._schema.tables_by_id.get(message.table_entry.table_id)
        if table is None:
            raise ProtocolError(f"table id {message.table_entry.table_id:#x} is not in the schema")
        active = message.type == pb.IdleTimeoutNotification.ENTRY_ACTIVE
        return Ageing(table.name, decode_key(table, message.table_entry.key), active)
