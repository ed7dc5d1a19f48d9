"""The eBPF fast path: the contract on top of an attached program."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from fastpath import frame
from fastpath.ebpf import attachment, layout, links
from fastpath.ebpf.attachment import Attached
from fastpath.ebpf.libbpf import BpfError
from fastpath.ebpf.pins import BPFFS
from fastpath.ebpf.ring_buffer import RingBuffer
from fastpath.ebpf.sweep import Sweep
from fastpath.errors import Unavailable
from fastpath.interface import Admitted, Batch
from fastpath.pause import Pause
from fastpath.records import (
    Admission,
    Counters,
    Direction,
    Drop,
    Flow,
    Followed,
    Limits,
    Listener,
    NextHop,
    Pivot,
    Precedent,
    Server,
    Splice,
    SynCookies,
    Tuple4,
    Volume,
)
from fastpath.validation import check_tables
from slowpath.wire.ip import IPV6, family_of

_FRAMES_PER_BATCH = 256
_SECOND = 1_000_000_000


class EbpfFastPath:
    """A FastPath of tc programs on interfaces of this host; port N is the Nth of them.

    Routes and neighbours are the kernel's. One task at a time may iterate over `events`.
    """

    def __init__(
        self, attached: Attached, capacity: int, idle_after: float, stack: AsyncExitStack, *, learning: bool
    ) -> None:
        """For `open`: `stack` undoes everything, and is closed by `close`."""
        loaded = attached.loaded
        self._tables, self._port, self._program_side = loaded.tables, attached.port, attached.program_side
        self._interfaces = attached.interfaces
        self._forwards_ipv6 = False
        self._capacity, self._learning = capacity, learning
        self._splices, self._precedents = loaded.splices, loaded.precedents
        self._admissions, self._blanks = loaded.admissions, loaded.blanks
        self._servers: set[int] = set()
        self._batch = Batch()
        self._closed = False
        self._ring = RingBuffer(loaded.maps["l7lb_events"], self._ended)
        self._pause = Pause(self._port.fileno(), self._ring.fileno())
        self._blanks.fill(time.monotonic_ns())
        sweep = Sweep(self._splices, idle_after, self._found)
        self._tasks = [asyncio.create_task(sweep.run()), asyncio.create_task(self._blanks.run(self._pause.end))]
        for task in self._tasks:
            task.add_done_callback(lambda _: self._pause.end())
        self._stack = stack
        stack.callback(self._ring.close)

    @classmethod
    async def open(
        cls,
        interfaces: Sequence[str],
        *,
        name: str = "l7lb",
        pin_directory: Path = BPFFS / "l7lb",
        capacity: int = 1_048_576,
        idle_after: float = 600.0,
        learning: bool = True,
    ) -> EbpfFastPath:
        """Attach to `interfaces`; raises Unavailable if one or anything else that it takes is missing.

        `name` (1..14 characters) tells instances on one host apart: devices are called `<name>0` and
        `<name>1`, maps are pinned in `pin_directory/<name>`, and what a killed run left there is removed.
        `capacity` is in splices; about 126 bytes of memory are taken for each at once. A splice without a packet for
        `idle_after` seconds is reported Idle, in every sweep until it is removed or used. IPv4
        forwarding is enabled on `interfaces`, which the kernel's route lookup asks for, until `close`;
        IPv6 forwarding once a listener or a server is configured that needs it. Without `learning` the
        slow path is asked about every request and connection: there are neither precedents nor admissions.
        """
        stack = AsyncExitStack()
        try:
            attached = await attachment.attach(stack, interfaces, name, pin_directory, capacity)
            return cls(attached, capacity, idle_after, stack, learning=learning)
        except BpfError as error:
            await stack.aclose()
            raise Unavailable(f"cannot attach the program: {error}") from error
        except BaseException:
            await stack.aclose()
            raise

    @property
    def limits(self) -> Limits:
        """What this target can do."""
        return Limits(
            self._capacity,
            timestamps=True,
            pivot=Pivot.EXACT,
            ipv6=True,
            snat=True,
            answers_syns=True,
            precedents=self._learning,
            admissions=self._learning and self._blanks.count > 0,
        )

    async def configure(
        self, listeners: Sequence[Listener], servers: Sequence[Server], next_hops: Sequence[NextHop]
    ) -> None:
        """Make these the VIPs and servers; `next_hops` is not used. Raises Rejected, TableFull or Unavailable."""
        self._require_open()
        check_tables(listeners, servers, ipv6=True)
        endpoints = [*(one.endpoint for one in listeners), *(one.endpoint for one in servers)]
        if not self._forwards_ipv6 and any(family_of(endpoint.address) is IPV6 for endpoint in endpoints):
            links.forward_ipv6(self._interfaces)
            self._forwards_ipv6 = True
        self._tables.set_listeners(listeners)
        self._servers.update(server.id for server in servers)

    async def rotate(self, cookies: SynCookies) -> None:
        """Answer SYNs with these secrets from now on."""
        self._require_open()
        self._tables.set_cookies(cookies)

    async def install(self, splices: Sequence[Splice]) -> None:
        """Add splices. One whose flow is there already is replaced. Raises TableFull, Rejected or Unavailable."""
        self._require_open()
        self._splices.install(splices, time.monotonic_ns())

    async def update(self, splices: Sequence[Splice]) -> None:
        """Replace splices; one whose pivot alone changes remembers its FINs. Raises a FastPathError."""
        self._require_open()
        self._splices.update(splices, time.monotonic_ns())

    async def remove(self, flows: Sequence[Flow]) -> None:
        """Remove splices; a flow that is not there is passed over."""
        self._require_open()
        self._splices.remove(flows, time.monotonic_ns())

    async def withdraw(self, flows: Sequence[Flow]) -> None:
        """Remove splices; the packets of their servers become expected before. Raises TableFull or Unavailable."""
        self._require_open()
        now = time.monotonic_ns()
        self._tables.expect(filter(None, [self._splices.withdrawn(flow) for flow in flows]), now)
        self._splices.remove(flows, now)

    async def set_precedents(self, precedents: Sequence[Precedent]) -> None:
        """Have splices follow these as well; raises Unavailable."""
        self._require_open()
        numbered = ((self._splices.path(one.vip, one.server, one.server_id), one) for one in precedents)
        self._precedents.set([(path, one) for path, one in numbered if path is not None], time.monotonic_ns())

    async def set_admissions(self, admissions: Sequence[Admission]) -> None:
        """Let connections in by these as well; raises Unavailable."""
        self._require_open()
        if self._blanks.count:
            self._admissions.set(admissions, time.monotonic_ns())

    async def revoke_precedents(self) -> None:
        """Follow none of those that were set so far."""
        self._require_open()
        self._precedents.revoke()
        self._admissions.revoke()

    def hand_over(self, match: Tuple4) -> Admitted | None:
        """Hand over the connection with packets of this 4-tuple that was let in."""
        return None if self._closed else self._blanks.hand_over(match, time.monotonic_ns())

    def followed(self, flow: Flow) -> Followed | None:
        """How far precedents have moved the pivot of a splice."""
        return None if self._closed else self._splices.followed(flow)

    def last_seen(self, flow: Flow, direction: Direction) -> float | None:
        """When a packet of the splice was last sent on in this direction, to a few milliseconds."""
        seen = None if self._closed else self._splices.last_seen(flow, direction, time.monotonic_ns())
        return None if seen is None else seen / _SECOND

    def traffic(self, flows: Sequence[Flow]) -> Sequence[tuple[Volume, Volume] | None]:
        """What each splice has carried."""
        return [None if self._closed else self._splices.carried(flow) for flow in flows]

    def inject(self, frames: Iterable[bytes]) -> None:
        """Send frames of `fastpath.frame` in order; one that finds no room is lost and counted as Drop.INJECT."""
        self._require_open()
        self._port.send(tuple(frames))

    async def events(self) -> AsyncIterator[Batch]:
        """Punted frames and reports, one batch at a time; ends after `close`. Raises Unavailable."""
        while not self._closed:
            for task in self._tasks:
                if task.done():
                    raise Unavailable("looking after the splices has failed") from task.exception()
            batch = self._take()
            if batch.punts or batch.closed or batch.idle or batch.admitted:
                yield batch
                # Others have their turn even while there is always more.
                await asyncio.sleep(0)
            else:
                await self._pause.wait()

    def splices(self) -> Iterable[Splice]:
        """Read every record back from the memory that the program looks into."""
        self._require_open()
        return iter(self._splices)

    def counters(self) -> Counters:
        """A snapshot of the counters, of every server that was ever configured or spliced to."""
        self._require_open()
        counters = self._tables.counters(self._servers | self._splices.servers)
        drops = dict(counters.drops)
        drops[Drop.PUNT] += self._port.receive_failures() + links.lost(self._program_side)
        drops[Drop.INJECT] += self._port.send_failures
        return replace(counters, drops=drops, followed=self._precedents.counted(), admitted=self._admissions.counted())

    async def close(self) -> None:
        """Detach and remove every record; idempotent."""
        if self._closed:
            return
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._pause.close()
        await self._stack.aclose()

    def _require_open(self) -> None:
        if self._closed:
            raise Unavailable("this fast path is closed")

    def _take(self) -> Batch:
        """What there is at this moment."""
        # The packets first: what has ended before one of them came is in the same batch then.
        punts = frame.decode_all(self._port.receive(_FRAMES_PER_BATCH))
        self._ring.consume()
        batch, self._batch = self._batch, Batch()
        batch.punts += punts
        batch.admitted = self._blanks.take()
        return batch

    def _ended(self, data: bytes) -> None:
        self._batch.closed.extend(self._splices.ended(*layout.event(data)))

    def _found(self, batch: Batch) -> None:
        self._batch.closed += batch.closed
        self._batch.idle += batch.idle
        self._pause.end()
