"""Attributes of tables."""

from __future__ import annotations

from dataclasses import dataclass

from bfrt.proto import bfruntime_pb2 as pb


@dataclass(frozen=True, slots=True)
class IdleTimeout:
    """How the entries of a table age; times in milliseconds.

    With `notify`, an entry with an `$ENTRY_TTL` other than 0 is reported once it has been idle for that long, at the
    earliest, and for two `interval`s more, at the latest; without, `$ENTRY_HIT_STATE` can be read. `least` and `most`
    bound the TTL where a server cares.
    """

    enabled: bool = True
    notify: bool = True
    interval: int = 5_000
    least: int = 1_000
    most: int = 3_600_000

    def message(self) -> pb.IdleTable:
        """For the wire."""
        notify, poll = pb.IdleTable.IDLE_TABLE_NOTIFY_MODE, pb.IdleTable.IDLE_TABLE_POLL_MODE
        return pb.IdleTable(
            ttl_query_interval=self.interval,
            max_ttl=self.most,
            min_ttl=self.least,
            idle_table_mode=notify if self.notify else poll,
            enable=self.enabled,
        )

    @classmethod
    def of(cls, message: pb.IdleTable) -> IdleTimeout:
        """From the wire."""
        notify = message.idle_table_mode == pb.IdleTable.IDLE_TABLE_NOTIFY_MODE
        return cls(message.enable, notify, message.ttl_query_interval, message.min_ttl, message.max_ttl)
