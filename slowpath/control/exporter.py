"""Serving metrics to Prometheus over HTTP, from a thread of its own."""

from __future__ import annotations

import asyncio
import copy
import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from slowpath.control.metrics import Snapshot, families
from slowpath.wire.endpoint import Endpoint

_TIMEOUT = 5.0
"""Seconds that a scrape waits for the event loop; Prometheus gives up after 10."""


class ExporterError(Exception):
    """The metrics address cannot be served."""


@dataclass(frozen=True, slots=True)
class Exporter:
    """A running exporter."""

    _server: WSGIServer

    def close(self) -> None:
        """Stop serving; takes up to half a second."""
        self._server.shutdown()
        self._server.server_close()


def start(address: Endpoint, snapshot: Callable[[], Snapshot]) -> Exporter:
    """Serve `/metrics` at `address`; raises ExporterError.

    Call it in the event loop: `snapshot` is called there for every scrape, so it may read what
    belongs to the loop.
    """
    registry = CollectorRegistry()
    registry.register(_LoopCollector(asyncio.get_running_loop(), snapshot))
    ProcessCollector(registry=registry)
    host = str(ipaddress.ip_address(address.address))
    try:
        server, _ = start_http_server(address.port, host, registry)
    except OSError as error:
        raise ExporterError(f"metrics: cannot listen on {address}: {error.strerror}") from None
    return Exporter(server)


class _LoopCollector(Collector):
    """Collects in the scrape's thread what the event loop hands over."""

    def __init__(self, loop: asyncio.AbstractEventLoop, snapshot: Callable[[], Snapshot]) -> None:
        self._loop = loop
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        """Every metric; raises TimeoutError if the event loop does not get round to it."""
        return families(asyncio.run_coroutine_threadsafe(self._take(), self._loop).result(_TIMEOUT))

    async def _take(self) -> Snapshot:
        taken = self._snapshot()
        # The loop goes on counting while the thread writes the exposition.
        return replace(taken, statistics=copy.deepcopy(taken.statistics))
