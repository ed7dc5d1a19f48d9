"""Something that answers as a running instance does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from slowpath.control.admin import AdminServer, Handler


@contextmanager
def answering(path: Path, handlers: Mapping[str, Handler]) -> Iterator[None]:
    """An admin socket at `path`, in an event loop of its own."""
    server = AdminServer(path, handlers)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result()
        yield
        asyncio.run_coroutine_threadsafe(server.close(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
