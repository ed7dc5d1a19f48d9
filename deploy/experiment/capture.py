"""Packets captured in a namespace while a block runs."""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from pyroute2 import netns

from deploy.experiment.tally import Tally
from deploy.experiment.tap import Tap, TapSocket
from deploy.laboratory.namespace import LaboratoryError, Namespace, wait_until

_QUIET = 0.5
"""Seconds without a packet after which a load counts as over: more than a server's first retransmission timeout."""
_LONGEST_WAIT = 60.0


class Capture:
    """Counts the packets of `clients` that pass `taps` in `namespace`, from entry to exit of the block.

    `tally` is complete, and `lost` is known, after the block.
    """

    def __init__(self, namespace: Namespace, taps: Sequence[Tap], clients: Iterable[str]) -> None:
        self.tally = Tally(clients)
        self.lost = 0
        """Packets that were not counted, because they came faster than they could be."""
        self._namespace, self._taps = namespace, taps
        self._sockets: list[TapSocket] = []
        self._latest = 0.0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._stop = os.eventfd(0)
            stack.callback(os.close, self._stop)
            # The one thread of it enters the namespace and is never used for anything else.
            thread = stack.enter_context(ThreadPoolExecutor(1, "capture"))
            thread.submit(self._open, stack).result()
            self._counting: Future[None] = thread.submit(self._count)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._stack:
            os.eventfd_write(self._stop, 1)
            self._counting.result()

    def wait_until_quiet(self) -> None:
        """Return once no packet has come for half a second; raises LaboratoryError if they do not end."""
        wait_until(self._is_quiet, _LONGEST_WAIT, f"the packets in {self._namespace.name} end")

    def _is_quiet(self) -> bool:
        if self._counting.done():
            self._counting.result()
        return time.monotonic() - self._latest > _QUIET

    def _open(self, stack: ExitStack) -> None:
        netns.setns(self._namespace.name, flags=0)
        for tap in self._taps:
            try:
                opened = TapSocket(tap)
            except OSError as error:
                raise LaboratoryError(
                    f"cannot capture at {tap.interface} of {self._namespace.name}: {error.strerror}"
                ) from error
            stack.callback(opened.close)
            self._sockets.append(opened)

    def _count(self) -> None:
        with selectors.DefaultSelector() as selector:
            for opened in self._sockets:
                selector.register(opened, selectors.EVENT_READ)
            selector.register(self._stop, selectors.EVENT_READ)
            stopping = False
            while not stopping:
                stopping = any(key.fileobj == self._stop for key, _ in selector.select())
                try:
                    self._drain()
                except OSError as error:
                    raise LaboratoryError(f"the capture in {self._namespace.name} failed: {error.strerror}") from error
        self.lost = sum(opened.lost() for opened in self._sockets)

    def _drain(self) -> None:
        for opened in self._sockets:
            while (frame := opened.receive()) is not None:
                self.tally.add(opened.direction, frame)
                self._latest = time.monotonic()
