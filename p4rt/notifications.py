"""The digests and idle-timeout notifications of a session."""

from __future__ import annotations

from dataclasses import dataclass

from p4rt.codec import decode_key, digest_decoder
from p4rt.errors import ProtocolError
from p4rt.proto import p4data_pb2 as data
from p4rt.proto import p4runtime_pb2 as pb
from p4rt.schema import Schema
from rpc import notifications
from rpc.values import KeyValue


@dataclass(frozen=True, slots=True)
class Idle:
    """An entry that has not been hit for its idle timeout; the server keeps it, and may tell again."""

    table: str
    key: tuple[KeyValue, ...]


class Notifications(notifications.Notifications[pb.StreamMessageResponse, data.P4Data, Idle]):
    """The streams of a session, fed from its connections."""

    def __init__(self, schema: Schema) -> None:
        super().__init__({digest.id: digest_decoder(digest) for digest in schema.digests})
        self._schema = schema

    def _sort(self, message: pb.StreamMessageResponse) -> None:
        match message.WhichOneof("update"):
            case "digest":
                self._give_digests(message.digest.digest_id, message.digest.data)
            case "idle_timeout_notification":
                self._give_idle([self._gone_idle(entry) for entry in message.idle_timeout_notification.table_entry])

    def _gone_idle(self, entry: pb.TableEntry) -> Idle:
        table = self._schema.tables_by_id.get(entry.table_id)
        if table is None:
            raise ProtocolError(f"table id {entry.table_id:#x} is not in the program's schema")
        return Idle(table.name, decode_key(table, entry))
