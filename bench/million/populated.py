"""A fast path that has, besides the packets of its interfaces, those of peers that exist on paper."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence

from bench.million import peers
from fastpath.frame import Punt
from fastpath.interface import Admitted, Batch, FastPath
from fastpath.records import (
    Admission,
    Counters,
    Direction,
    Flow,
    Followed,
    Limits,
    Listener,
    NextHop,
    Precedent,
    Server,
    Splice,
    SynCookies,
    Tuple4,
    Volume,
)


class PopulatedFastPath:
    """The FastPath `inner`, whose events come with those of `populate`; what is sent to our peers ends here.

    Their splices are installed in `inner` like all others.
    """

    def __init__(self, inner: FastPath) -> None:
        self._inner = inner
        self._cookies: SynCookies | None = None
        self._wanted = asyncio.Event()
        self._count, self._batch_size = 0, 1
        self._answers: list[Punt] = []
        self._own = 0.0
        self.present = 0
        """How many clients have connected: those with the lowest numbers."""
        self.spent = 0.0
        """Seconds of this thread's CPU time that their packets took those who deal with `events`, `inner` included."""

    def populate(self, count: int, batch: int) -> None:
        """Have clients connect until there are `count` of them, `batch` at a time."""
        self._count, self._batch_size = count, batch
        self._wanted.set()

    async def events(self) -> AsyncIterator[Batch]:
        """Those of `inner`, and those of our peers."""
        real = self._inner.events()
        following = asyncio.ensure_future(anext(real))
        while True:
            if self._count > self.present and self._cookies is not None:
                async for batch in self._connect(self._cookies):
                    yield batch
                await asyncio.sleep(0)
            else:
                self._wanted.clear()
                populating = asyncio.ensure_future(self._wanted.wait())
                await asyncio.wait((following, populating), return_when=asyncio.FIRST_COMPLETED)
                populating.cancel()
            if following.done():
                try:
                    batch = following.result()
                except StopAsyncIteration:
                    return
                yield batch
                following = asyncio.ensure_future(anext(real))

    async def _connect(self, cookies: SynCookies) -> AsyncIterator[Batch]:
        """The packets of so many clients more: their requests, and then what their servers answer."""
        numbers = range(self.present, min(self.present + self._batch_size, self._count))
        requests = peers.requests(numbers, cookies)
        self._own = 0.0
        begun = time.thread_time()
        yield Batch(punts=requests)
        between = time.thread_time()
        answers, self._answers = self._answers, []
        self.spent += between - begun - self._own
        self._own = 0.0
        begun = time.thread_time()
        yield Batch(punts=answers)
        self.spent += time.thread_time() - begun - self._own
        self.present = numbers.stop

    def inject(self, frames: Iterable[bytes]) -> None:
        """Give frames to `inner`, or to our peers."""
        begun = time.thread_time()
        real = []
        for frame in frames:
            if not peers.is_ours(frame):
                real.append(frame)
            elif (answer := peers.answer(frame)) is not None:
                self._answers.append(answer)
        self._own += time.thread_time() - begun
        if real:
            self._inner.inject(real)

    async def rotate(self, cookies: SynCookies) -> None:
        """Let our clients know the cookies, too."""
        self._cookies = cookies
        await self._inner.rotate(cookies)

    @property
    def limits(self) -> Limits:
        """Of `inner`, as is all that follows."""
        return self._inner.limits

    async def configure(
        self, listeners: Sequence[Listener], servers: Sequence[Server], next_hops: Sequence[NextHop]
    ) -> None:
        await self._inner.configure(listeners, servers, next_hops)

    async def install(self, splices: Sequence[Splice]) -> None:
        await self._inner.install(splices)

    async def update(self, splices: Sequence[Splice]) -> None:
        await self._inner.update(splices)

    async def remove(self, flows: Sequence[Flow]) -> None:
        await self._inner.remove(flows)

    async def withdraw(self, flows: Sequence[Flow]) -> None:
        await self._inner.withdraw(flows)

    async def set_precedents(self, precedents: Sequence[Precedent]) -> None:
        await self._inner.set_precedents(precedents)

    async def revoke_precedents(self) -> None:
        await self._inner.revoke_precedents()

    async def set_admissions(self, admissions: Sequence[Admission]) -> None:
        await self._inner.set_admissions(admissions)

    def hand_over(self, match: Tuple4) -> Admitted | None:
        return self._inner.hand_over(match)

    def followed(self, flow: Flow) -> Followed | None:
        return self._inner.followed(flow)

    def last_seen(self, flow: Flow, direction: Direction) -> float | None:
        return self._inner.last_seen(flow, direction)

    def traffic(self, flows: Sequence[Flow]) -> Sequence[tuple[Volume, Volume] | None]:
        return self._inner.traffic(flows)

    def splices(self) -> Iterable[Splice]:
        return self._inner.splices()

    def counters(self) -> Counters:
        return self._inner.counters()

    async def close(self) -> None:
        await self._inner.close()
