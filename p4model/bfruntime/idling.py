"""Idle notifications: a sweep over each table whose entries age, once per query interval."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from bfrt.proto import bfruntime_pb2 as pb
from p4model.bfruntime.clients import Client
from p4model.bfruntime.tables.base import ALL_PIPES
from p4model.bfruntime.tables.match import ServedMatchTable
from p4model.state.aging import Mode
from p4model.state.record import EntryKey


class IdleSweeps:
    """The sweeps that are under way, at most one per table."""

    def __init__(self) -> None:
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def begin(self, table: ServedMatchTable, client: Client) -> None:
        """Sweep a table for a client from now on, until its idle time-out is switched off."""
        self._end(table.id)
        self._tasks[table.id] = asyncio.create_task(self._sweep(table, client))

    def close(self) -> None:
        """End all sweeps."""
        for id_ in tuple(self._tasks):
            self._end(id_)

    def _end(self, id_: int) -> None:
        task = self._tasks.pop(id_, None)
        if task is not None:
            task.cancel()

    async def _sweep(self, table: ServedMatchTable, client: Client) -> None:
        aging = table.table.aging
        while aging.enabled and aging.mode is Mode.NOTIFY:
            await asyncio.sleep(aging.interval / 1000)
            sweep = aging.sweep()
            self._notify(table, client, sweep.idle, pb.IdleTimeoutNotification.ENTRY_IDLE)
            if client.wants.enable_entry_active_notifications:
                self._notify(table, client, sweep.active, pb.IdleTimeoutNotification.ENTRY_ACTIVE)

    def _notify(
        self,
        table: ServedMatchTable,
        client: Client,
        keys: Iterable[EntryKey],
        kind: pb.IdleTimeoutNotification.NotificationType,
    ) -> None:
        for key in keys:
            message = pb.StreamMessageResponse()
            notification = message.idle_timeout_notification
            notification.type = kind
            notification.target.pipe_id = ALL_PIPES
            notification.table_entry.table_id = table.id
            table.keys.encode(key, notification.table_entry.key)
            client.notify(message)
