"""Status and connections as tables for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from slowpath.control.status import ConnectionRow, PoolStatus, ServerStatus, Status

_PIPE_WIDTH = 250
"""Columns where no terminal sets a limit: enough that a line of the table stays one line for grep."""


def say(text: str) -> None:
    """Print one line as it stands."""
    _console().print(Text(text), soft_wrap=True)


def show_status(status: Status) -> None:
    """Print a status."""
    fastpath = status.fastpath
    say(f"l7lb {status.version}, up for {duration(status.uptime_seconds)}, {status.connections} connections")
    say(f"fast path {fastpath.kind}: {fastpath.splices} of {fastpath.capacity} splices")
    listeners = Table("listener", "address", _right("connections since start"), title="Listeners", title_justify="left")
    for listener in status.listeners:
        listeners.add_row(listener.name, listener.address, str(listener.connections_total))
    _console().print(listeners)
    pools = Table(
        "pool", "balance", "server", "state", _right("weight"), _right("connections"), "last failure",
        title="Pools", title_justify="left",
    )  # fmt: skip
    for pool in status.pools:
        _add_pool(pools, pool)
    _console().print(pools)


def show_connections(rows: Sequence[ConnectionRow]) -> None:
    """Print open connections, one a line."""
    table = Table("client", "listener", "server", "pool", "state", _right("age"))
    for row in rows:
        table.add_row(row.client, row.vip, row.server, row.pool, row.state, duration(row.age_seconds))
    _console().print(table)


def duration(seconds: float) -> str:
    """Seconds in the two largest units that are not zero: `3d 4h`, `5m 2s`, `0.3s`."""
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours}h"
    return f"{hours}h {minutes}m" if hours else f"{minutes}m {rest}s"


def _add_pool(table: Table, pool: PoolStatus) -> None:
    for index, server in enumerate(pool.servers):
        lead = ("", "") if index else (pool.name, pool.balance)
        # What a server answered is shown as text: it could contain rich's markup.
        why = Text(server.why)
        table.add_row(*lead, server.address, _state(server), str(server.weight), str(server.connections), why)


def _state(server: ServerStatus) -> str:
    if not server.up:
        return "[red]down[/]"
    return "[yellow]draining[/]" if server.draining else "[green]up[/]"


def _right(header: str) -> Column:
    return Column(header, justify="right")


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)
