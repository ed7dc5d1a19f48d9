"""Rates of a running instance, from two looks at its status, and a live table of them."""

from __future__ import annotations

import os
import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console, Group
from rich.filesize import decimal
from rich.live import Live
from rich.table import Table
from rich.text import Text

from slowpath.control import tables
from slowpath.control.status import ServerStatus, Status
from slowpath.control.tables import duration, right, server_connections, server_state, server_weight


@dataclass(frozen=True, slots=True)
class ListenerRate:
    """A listener; connections whose first data arrived, and requests, per second."""

    name: str
    address: str
    connections_per_second: float
    requests_per_second: float


@dataclass(frozen=True, slots=True)
class ServerRate:
    """A server, and the bytes per second that the fast path forwarded to it and from it."""

    pool: str
    server: ServerStatus
    bytes_per_second_to_server: float
    bytes_per_second_to_client: float


@dataclass(frozen=True, slots=True)
class Rates:
    """An instance over `seconds`; what is no rate is as it was at their end."""

    seconds: float
    status: Status
    listeners: tuple[ListenerRate, ...]
    servers: tuple[ServerRate, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "seconds": self.seconds,
            "connections": self.status.connections,
            "splices": self.status.fastpath.splices,
            "capacity": self.status.fastpath.capacity,
            "listeners": [asdict(listener) for listener in self.listeners],
            "servers": [
                {"pool": rate.pool, **asdict(rate.server)}
                | {
                    "bytes_per_second_to_server": rate.bytes_per_second_to_server,
                    "bytes_per_second_to_client": rate.bytes_per_second_to_client,
                }
                for rate in self.servers
            ],
        }


def rates(before: Status, after: Status) -> Rates:
    """What happened between two looks; to an instance that was started in between, since then."""
    if after.uptime_seconds < before.uptime_seconds:
        seconds, listeners, servers = after.uptime_seconds, {}, {}
    else:
        seconds = after.uptime_seconds - before.uptime_seconds
        listeners = {listener.name: listener for listener in before.listeners}
        servers = {(row.pool, row.address): row for row in before.rows()}

    def rate(new: int, old: int) -> float:
        return max(new - old, 0) / seconds if seconds else 0.0

    listener_rates = []
    for listener in after.listeners:
        was = listeners.get(listener.name)
        listener_rates.append(
            ListenerRate(
                listener.name,
                listener.address,
                rate(listener.connections_total, was.connections_total if was else 0),
                rate(listener.requests_total, was.requests_total if was else 0),
            )
        )
    server_rates = []
    for pool in after.pools:
        for server in pool.servers:
            # Of a server that is new here the counters may be older than it is.
            row = servers.get((pool.name, server.address), server)
            server_rates.append(
                ServerRate(
                    pool.name,
                    server,
                    rate(server.bytes_to_server, row.bytes_to_server),
                    rate(server.bytes_to_client, row.bytes_to_client),
                )
            )
    return Rates(seconds, after, tuple(listener_rates), tuple(server_rates))


def sample(take: Callable[[], Status], interval: float) -> Rates:
    """The rates of the next `interval` seconds."""
    before = take()
    time.sleep(interval)
    return rates(before, take())


def watch(take: Callable[[], Status], interval: float) -> None:
    """Show the rates until q or Ctrl-C is pressed; once if the output is no terminal."""
    console = Console()
    if not console.is_terminal:
        tables.show(_shown(sample(take, interval)))
        return
    try:
        before = take()
        with _keys() as quit_within, Live(console=console, screen=True, auto_refresh=False) as live:
            live.update(_shown(rates(before, before)), refresh=True)
            while not quit_within(interval):
                after = take()
                live.update(_shown(rates(before, after)), refresh=True)
                before = after
    except KeyboardInterrupt:
        return


@contextmanager
def _keys() -> Iterator[Callable[[float], bool]]:
    """A function that waits for seconds, or until q is pressed: then it returns True."""
    if not sys.stdin.isatty():

        def wait(seconds: float) -> bool:
            time.sleep(seconds)
            return False

        yield wait
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)

    def pressed(seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while (rest := deadline - time.monotonic()) > 0 and select.select([terminal], [], [], rest)[0]:
            typed = os.read(terminal, 64)
            if not typed or b"q" in typed.lower():
                return True
        return False

    try:
        tty.setcbreak(terminal)
        yield pressed
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _shown(now: Rates) -> Group:
    status = now.status
    connections = sum(listener.connections_per_second for listener in now.listeners)
    summary = (
        f"l7lb {status.version}, up for {duration(status.uptime_seconds)}; {status.connections} connections, "
        f"{connections:.1f} new a second; fast path {status.fastpath.kind}: "
        f"{status.fastpath.splices} of {status.fastpath.capacity} splices"
    )
    listeners = Table("listener", "address", right("connections/s"), right("requests/s"))
    for listener in now.listeners:
        rated = (listener.connections_per_second, listener.requests_per_second)
        listeners.add_row(listener.name, listener.address, *(f"{rate:.1f}" for rate in rated))
    servers = Table(
        "pool", "server", "state", right("weight"), right("connections"), right("to server"), right("to client")
    )
    for rate in now.servers:
        server = rate.server
        speeds = (rate.bytes_per_second_to_server, rate.bytes_per_second_to_client)
        servers.add_row(
            rate.pool,
            server.address,
            server_state(server),
            server_weight(server),
            server_connections(server),
            *(f"{decimal(int(speed))}/s" for speed in speeds),
        )
    return Group(Text(summary), listeners, servers)
