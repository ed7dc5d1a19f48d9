"""The exporter over HTTP: what it takes from the event loop, and what happens when it cannot."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from slowpath.control import exporter
from slowpath.control.exporter import ExporterError
from slowpath.control.metrics import Snapshot
from slowpath.wire.endpoint import Endpoint
from tests.unit.control import samples
from tests.unit.control.ports import free_port


def scrape(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
        text: str = response.read().decode()
        return text


def serve(snapshot: Callable[[], Snapshot], port: int) -> str:
    """Start an exporter, scrape it once and close it."""

    async def scenario() -> str:
        running = exporter.start(Endpoint.parse(f"127.0.0.1:{port}"), snapshot)
        try:
            return await asyncio.to_thread(scrape, port)
        finally:
            running.close()

    return asyncio.run(scenario())


def test_a_scrape_shows_the_snapshot_and_the_process() -> None:
    text = serve(samples.snapshot, free_port())
    assert 'l7lb_listener_connections_total{listener="web"} 21.0' in text
    assert "process_resident_memory_bytes" in text


def test_the_snapshot_is_taken_in_the_event_loop() -> None:
    threads = []

    def snapshot() -> Snapshot:
        threads.append(threading.current_thread())
        return samples.snapshot()

    serve(snapshot, free_port())
    assert threads == [threading.current_thread()]


def test_an_address_in_use_is_named() -> None:
    port = free_port()

    async def scenario() -> None:
        address = Endpoint.parse(f"127.0.0.1:{port}")
        first = exporter.start(address, samples.snapshot)
        with pytest.raises(ExporterError, match=f"metrics: cannot listen on 127.0.0.1:{port}: Address already in use"):
            exporter.start(address, samples.snapshot)
        first.close()
        with pytest.raises(URLError):
            scrape(port)

    asyncio.run(scenario())
