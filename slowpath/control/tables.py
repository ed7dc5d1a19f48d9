"""Status, connections and reloads as tables for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.table import Column, Table
from rich.text import Text

from slowpath.control.report import Report
from slowpath.control.status import ConnectionRow, PoolStatus, ServerStatus, Status

_PIPE_WIDTH = 250
"""Columns where no terminal sets a limit: enough that a line of the table stays one line for grep."""


def show(what: RenderableType) -> None:
    """Print a table, or several."""
    _console().print(what)


def say(text: str) -> None:
    """Print one line as it stands."""
    _console().print(Text(text), soft_wrap=True)


def show_status(status: Status) -> None:
    """Print a status."""
    fastpath = status.fastpath
    say(f"l7lb {status.version}, up for {duration(status.uptime_seconds)}, {status.connections} connections")
    say(f"fast path {fastpath.kind}: {fastpath.splices} of {fastpath.capacity} splices")
    listeners = Table("listener", "address", right("connections since start"), title="Listeners", title_justify="left")
    for listener in status.listeners:
        listeners.add_row(listener.name, listener.address, str(listener.connections_total))
    _console().print(listeners)
    pools = Table(
        "pool", "balance", "server", "state", right("weight"), right("connections"), "last failure",
        title="Pools", title_justify="left",
    )  # fmt: skip
    for pool in status.pools:
        _add_pool(pools, pool)
    _console().print(pools)


def show_report(report: Report) -> None:
    """Print what a reload did."""
    for problem in report.problems:
        say(str(problem))
    for listener in report.listeners:
        why = f": {listener.why}" if listener.why else ""
        say(f"listener {listener.name} on {listener.address}: {listener.change.value}{why}")
    for pool in report.pools:
        moves = [f"{sign}{address}" for sign, moved in (("+", pool.added), ("-", pool.removed)) for address in moved]
        say(f"pool {pool.name}: {' '.join([pool.change.value, *moves])}")
    if report.error and not any(listener.why for listener in report.listeners):
        say(report.error)
    say("in force" if report.in_force else "not in force: the old configuration stays as it was")


def show_connections(rows: Sequence[ConnectionRow]) -> None:
    """Print open connections, one a line."""
    table = Table("client", "listener", "server", "pool", "state", right("age"))
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
        lead = ("", "") if index else (_queue(pool), pool.balance)
        # What a server answered is shown as text: it could contain rich's markup.
        why = Text(_why(server))
        table.add_row(
            *lead, _address(server), server_state(server), server_weight(server), server_connections(server), why
        )


def _queue(pool: PoolStatus) -> str:
    """The pool, and how many wait for one of its servers."""
    return f"{pool.name} ({pool.queued} waiting)" if pool.queued else pool.name


def server_connections(server: ServerStatus) -> str:
    """The open connections, and how many there may be."""
    return f"{server.connections} of {server.max_connections}" if server.max_connections else str(server.connections)


def _address(server: ServerStatus) -> str:
    """The address, and the name that the configuration has in its place."""
    named = server.configured_as not in ("", server.address)
    return f"{server.address} ({server.configured_as})" if named else server.address


def _why(server: ServerStatus) -> str:
    """What is or was wrong with a server, and what it takes to be used again."""
    reasons = [server.why] if server.why else []
    if server.rise:
        reasons.append(f"comes up after {server.rise} good probes in a row")
    if server.ejected:
        rest = f"for {duration(server.ejected_seconds)}" if server.ejected_seconds else "on trial"
        reasons.append(f"ejected ({server.ejected}), {rest}")
    return "; ".join(reasons)


def server_state(server: ServerStatus) -> str:
    """In a word, with rich's markup."""
    if not server.listed:
        return "[yellow]leaving[/]"
    if not server.up:
        return "[red]down[/]"
    if server.ejected:
        return "[red]ejected[/]"
    return "[yellow]draining[/]" if server.draining else "[green]up[/]"


def server_weight(server: ServerStatus) -> str:
    """The weight, and the one of the configuration if that is another."""
    if server.weight == server.configured_weight:
        return str(server.weight)
    return f"{server.weight} (configured: {server.configured_weight})"


def standing(server: ServerStatus) -> str:
    """A server's state, weight and connections in a line."""
    state = Text.from_markup(server_state(server)).plain
    return f"{state}, weight {server_weight(server)}, {server.connections} connections"


def right(header: str) -> Column:
    """A column of numbers."""
    return Column(header, justify="right")


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)
