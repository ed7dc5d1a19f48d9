"""What is kept of a connection for the access log: its open requests, and the bytes that passed the slow path."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from fastpath.records import Direction, Flow, Volume
from slowpath.accesslog.entry import Ended, Entry, Journal
from slowpath.http.h2_request import Http2Request
from slowpath.http.head import RequestHead
from slowpath.request import Request
from slowpath.splicing import pivots
from slowpath.splicing.pivots import Course
from slowpath.splicing.service import Service

NOTHING = (Volume(0, 0), Volume(0, 0))

_REQUEST_ID = re.compile(rb"\r\nx-request-id:[ \t]*([^\r\n]*)", re.IGNORECASE)


@dataclass(slots=True, eq=False)
class Account:
    """Of a connection that is logged. Byte counts are of TCP payload, as the client sends and gets it."""

    entries: list[Entry] = field(default_factory=list)
    """Requests whose end was not seen yet, the oldest first."""
    received: int = 0
    """Bytes of the client's that passed the slow path since the join, less those that lines have said."""
    sent: int = 0
    """The same toward the client."""
    packets: list[int] = field(default_factory=lambda: [0, 0])
    """Packets that the slow path has forwarded since, by direction."""
    single: bool = True
    """Whether all that was counted since the join belongs to one request."""
    answered: float | None = None
    """When the response to the latest request was last seen to go on, if the server is being left."""

    def ask(self, flow: Flow, service: Service, request: Request | None, now: float) -> Entry:
        """Begin an entry; None for a request that could not be read."""
        entry = Entry(now, flow.client, flow.vip, service.name, service.protocol.name)
        if request is not None:
            entry.ask(request, _version(request))
        self.single = self.single and not self.entries
        self.entries.append(entry)
        return entry

    def measure(self, request: Request, course: Course) -> None:
        """Note how long the latest request is, if what follows it shows that."""
        if course in (Course.REQUEST, Course.AGREEMENT):
            self.entries[-1].bytes_in = pivots.end(request)

    def identify(self, edited: bytes) -> None:
        """Note the request id that the server gets in an edited head."""
        if found := _REQUEST_ID.search(edited.partition(b"\r\n\r\n")[0]):
            self.entries[-1].request_id = found[1].decode(errors="replace")

    def joined(self, received: int, sent: int) -> None:
        """The two sides are joined: of either, that many bytes have not passed, and will not pass, a splice."""
        self.received, self.sent, self.packets = received, sent, [0, 0]
        self.single = True
        self.answered = None

    def relayed(self, direction: Direction, payload: int) -> None:
        """Count a packet that the slow path has forwarded."""
        self.packets[direction] += 1
        if direction is Direction.TO_SERVER:
            self.received += payload
        else:
            self.sent += payload

    def complete(self, journal: Journal, count: int, sent: int, until: float | None) -> None:
        """Write the lines of the `count` oldest requests, which have been sent `sent` bytes, the last by `until`."""
        done, self.entries = self.entries[:count], self.entries[count:]
        self.single = False
        for entry in done:
            entry.ended = Ended.COMPLETE
            self.received -= entry.bytes_in or 0
        if done:
            # Where one response ends and the next begins is not known of requests that came together.
            done[-1].bytes_out = sent
            self.sent -= sent
        for entry in done:
            entry.duration = None if until is None else max(until - entry.started, 0.0)
            journal.write(entry)

    def end(self, ended: Ended, now: float) -> None:
        """Note that the connection is at its end."""
        for entry in self.entries:
            entry.ended = ended
            entry.duration = now - entry.started

    def settle(self, journal: Journal, carried: tuple[Volume, Volume] | None) -> None:
        """Write the lines that are left, given what the splice has carried; None: not known."""
        entries, self.entries = self.entries, []
        if carried is not None and entries:
            up, down = carried
            last = entries[-1]
            before = sum(entry.bytes_in or 0 for entry in entries[:-1])
            last.bytes_in = max(up.payload + self.received - before, 0)
            last.bytes_out = max(down.payload + self.sent, 0)
            if self.single:
                last.packets_in = up.packets + self.packets[Direction.TO_SERVER]
                last.packets_out = down.packets + self.packets[Direction.TO_CLIENT]
        for entry in entries:
            journal.write(entry)


@dataclass(frozen=True, slots=True)
class Settlement:
    """The account of a connection that has ended, to be settled with what the fast path says of its splice."""

    flow: Flow
    account: Account


def settle(journal: Journal, due: Sequence[Settlement], carried: Sequence[tuple[Volume, Volume] | None]) -> None:
    """Settle each of them."""
    for settlement, volumes in zip(due, carried, strict=True):
        settlement.account.settle(journal, volumes)


def _version(request: Request) -> str:
    if isinstance(request, RequestHead):
        return request.version
    return "2" if isinstance(request, Http2Request) else ""
