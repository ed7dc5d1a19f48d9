"""The access log itself: takes entries in the event loop, and writes them in a thread, for disks and pipes block."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from slowpath.accesslog.entry import Entry
from slowpath.accesslog.formats import Format
from slowpath.accesslog.sinks import Sink

_log = logging.getLogger(__name__)

LIMIT = 65_536
"""Entries that wait to be written; further ones are lost."""

_BATCH = 256
_GATHER = 0.05
"""Seconds from an entry until it is written, so that one call writes many and the event loop is seldom interrupted."""
_BETWEEN_ERRORS = 60.0
_CLOSE_WITHIN = 2.0


class AccessLog:
    """A Journal. `written` and `lost` count lines since the start."""

    def __init__(self, line: Format, sink: Sink, random: Callable[[], float]) -> None:
        """`random` gives numbers from 0 up to 1, by which connections are sampled."""
        self._line, self._sink, self._random = line, sink, random
        self.written = 0
        # Each is one thread's to count.
        self._refused = 0
        self._failed = 0
        self._entries: deque[Entry] = deque()
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._reopen = False
        self._complained = float("-inf")
        self._thread = threading.Thread(target=self._run, name="access log", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """Lines that found no room to wait, or could not be written."""
        return self._refused + self._failed

    def takes(self, share: float) -> bool:
        """Whether to log a connection of a listener of which this share is logged."""
        return share >= 1 or self._random() < share

    def write(self, entry: Entry) -> None:
        """Have an entry written soon."""
        if len(self._entries) >= LIMIT:
            self._refused += 1
            return
        self._entries.append(entry)
        if not self._wanted.is_set():
            self._wanted.set()

    def reopen(self) -> None:
        """Go on in a new file: the old one was moved away (logrotate)."""
        self._reopen = True
        self._wanted.set()

    def close(self) -> None:
        """Write what waits, unless that takes more than two seconds."""
        self._stopping.set()
        self._wanted.set()
        self._thread.join(_CLOSE_WITHIN)

    def _run(self) -> None:
        last = False
        while not last:
            self._wanted.wait()
            last = self._stopping.wait(_GATHER)
            self._wanted.clear()
            if self._reopen:
                self._reopen = False
                self._sink.reopen()
            self._drain()
        self._sink.close()

    def _drain(self) -> None:
        since_epoch = time.time() - time.monotonic()
        while self._entries:
            batch = [self._entries.popleft() for _ in range(min(len(self._entries), _BATCH))]
            try:
                self._sink.write([self._line(entry, since_epoch + entry.started) for entry in batch])
            except OSError as error:
                self._failed += len(batch)
                self._complain(error)
            except Exception:
                # The lines after a defect of ours are worth having.
                self._failed += len(batch)
                _log.exception("%d entries of the access log are lost", len(batch))
            else:
                self.written += len(batch)

    def _complain(self, error: OSError) -> None:
        now = time.monotonic()
        if now - self._complained >= _BETWEEN_ERRORS:
            self._complained = now
            _log.error("the access log cannot be written, lines are lost: %s", error)
