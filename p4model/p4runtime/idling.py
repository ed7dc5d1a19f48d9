"""Idle notifications: a sweep over all tables whose entries age, once per interval."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from p4model.p4runtime.arbitration import Arbitration
from p4model.p4runtime.configuration import Configuration
from p4model.p4runtime.tables import ServedTable
from p4rt.proto import p4runtime_pb2 as pb


async def sweep(configuration: Configuration, arbitration: Arbitration, interval: float) -> None:
    """Tell the primary controllers of idle entries every `interval` seconds, without an end."""
    while True:
        await asyncio.sleep(interval)
        if configuration.running is not None:
            for message in notifications(configuration.running.tables.values()):
                arbitration.notify(message)


def notifications(tables: Iterable[ServedTable]) -> Iterable[pb.StreamMessageResponse]:
    """One message for each table that has entries to be told as idle."""
    for table in tables:
        entries = list(table.idle())
        if entries:
            message = pb.StreamMessageResponse()
            message.idle_timeout_notification.table_entry.extend(entries)
            message.idle_timeout_notification.timestamp = time.monotonic_ns()
            yield message
