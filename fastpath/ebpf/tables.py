"""The maps of a loaded program: what the contract's calls change and read."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping, Sequence

from fastpath.ebpf import layout
from fastpath.ebpf.access import AccessLists
from fastpath.ebpf.ledger import Change, Record
from fastpath.ebpf.libbpf import BpfError, Map
from fastpath.errors import FastPathError, TableFull, Unavailable
from fastpath.records import Counters, Direction, Drop, Listener, Reason, Splice, SynCookies, Traffic, Volume

EXPECTED_FOR = 60_000_000_000
"""Nanoseconds for which a 4-tuple stays expected, as in l7lb.bpf.c."""
_SECOND = 1_000_000_000
_NO_ROOM = frozenset({errno.E2BIG, errno.ENOMEM, errno.ENOSPC})


class Tables:
    """The maps by name, `l7lb_` left out. What raises has changed nothing."""

    def __init__(self, maps: Mapping[str, Map]) -> None:
        self._flows, self._listeners, self._vips = maps["l7lb_flows"], maps["l7lb_listeners"], maps["l7lb_vips"]
        self._ports, self._ifindexes = maps["l7lb_ports"], maps["l7lb_ifindexes"]
        self._expected = maps["l7lb_expected"]
        self._servers, self._counters = maps["l7lb_servers"], maps["l7lb_counters"]
        self._cookies, self._epoch = maps["l7lb_cookies"], maps["l7lb_epoch"]
        self._access = AccessLists(maps["l7lb_access"])

    def set_ports(self, ifindexes: Sequence[int]) -> None:
        """Number the interfaces; ports are their indexes."""
        for port, ifindex in enumerate(ifindexes):
            self._ports.update(layout.number(port), layout.number(ifindex))
            self._ifindexes.update(layout.number(ifindex), layout.number(port))

    def set_listeners(self, listeners: Sequence[Listener]) -> None:
        """Make these the listeners; raises TableFull or Unavailable."""
        vips = {layout.mapped(one.endpoint.address): b"\1" for one in listeners}
        if len(listeners) > layout.MAX_LISTENERS:
            raise TableFull(f"{len(listeners)} listeners do not fit: {layout.MAX_LISTENERS} do")
        before = dict(self._listeners.items()), dict(self._vips.items())
        lists, lists_before = {one.access for one in listeners if one.access}, self._access.lists
        try:
            self._access.add(lists)
            wanted = {
                layout.endpoint(one.endpoint): layout.offer(one, self._access.number(one.access)) for one in listeners
            }
            _replace(self._vips, vips)
            _replace(self._listeners, wanted)
            self._access.keep(lists)
        except BpfError as error:
            _replace(self._listeners, before[0])
            _replace(self._vips, before[1])
            self._access.keep(lists_before)
            raise _typed(error) from error

    def set_cookies(self, cookies: SynCookies) -> None:
        """Answer SYNs with these secrets from now on."""
        for index, key in enumerate(cookies.keys):
            self._cookies.update(layout.number(index), layout.cookie_key(key))
        self._epoch.update(layout.number(0), layout.number((cookies.epoch & 1) + 1))

    def carry_out(self, change: Change, now: int) -> None:
        """Take out and put in the splices of `change` (`now` in nanoseconds); raises TableFull or Unavailable."""
        kept = {record.generation: record.splice.pivot for record in change.old}
        elements: dict[bytes, bytes] = {}
        written: set[bytes] = set()
        fresh: list[bytes] = []
        for record in change.new:
            keys = record.element_keys()
            written.update(keys)
            if record.generation not in kept:
                elements |= record.elements(now)
                fresh.append(keys[1])
            elif (kept[record.generation] is None) is (record.splice.pivot is None):
                # The element toward the client is as it was.
                elements |= self._with_state({keys[0]: record.elements(now)[keys[0]]})
            else:
                elements |= self._with_state(record.elements(now))
        stale = [key for record in change.old for key in record.element_keys() if key not in written]
        try:
            self._flows.delete_batch(stale)
            self._flows.update_batch(elements)
            self._expected.delete_batch(fresh)
        except BpfError as error:
            self._undo(change, elements, now)
            raise _typed(error) from error

    def move(self, moves: Iterable[tuple[Record, Splice]]) -> None:
        """Set the pivots of records that have one; raises Unavailable."""
        before: dict[bytes, bytes] = {}
        elements: dict[bytes, bytes] = {}
        for record, splice in moves:
            key = layout.tuple4(record.splice.flow)
            value = self._flows.lookup(key)
            if value is None or splice.pivot is None:
                raise Unavailable(f"splice {splice.flow} is not in l7lb_flows any more")
            before[key] = value
            elements[key] = layout.with_pivot(value, splice.pivot)
        try:
            self._flows.update_batch(elements)
        except BpfError as error:
            self._flows.update_batch(before)
            raise _typed(error) from error

    def expect(self, records: Iterable[Record], now: int) -> None:
        """Make the packets of the servers of `records` expected; raises TableFull or Unavailable."""
        until = layout.instant(now + EXPECTED_FOR)
        try:
            self._expected.update_batch({record.element_keys()[1]: until for record in records})
        except BpfError as error:
            raise _typed(error) from error

    def last_seen(self, record: Record, direction: Direction) -> float | None:
        """When a packet of `record` was last sent on in this direction, in seconds of the monotonic clock."""
        value = self._flows.lookup(record.element_keys()[direction])
        return None if value is None else next(layout.states(value)).last_seen / _SECOND

    def carried(self, record: Record) -> tuple[Volume, Volume] | None:
        """What `record` has carried by direction; None if it is gone."""
        up, down = map(self._flows.lookup, record.element_keys())
        return None if up is None or down is None else (layout.volume(up), layout.volume(down))

    def splices(self) -> Iterator[Splice]:
        """Every splice in l7lb_flows."""
        return filter(None, (layout.splice(key, value) for key, value in self._flows.items()))

    def counters(self, servers: Iterable[int]) -> Counters:
        """A snapshot of what the program has counted, of `servers` by their ids."""
        to_server, to_client = Direction
        return Counters(
            {server: (self._traffic(server, to_server), self._traffic(server, to_client)) for server in servers},
            {reason: self._count(layout.PUNTS + reason) for reason in Reason},
            {drop: self._count(layout.DROPS + drop) for drop in Drop},
            syns_answered=self._count(layout.SYNS_ANSWERED),
            handshakes=self._count(layout.HANDSHAKES),
            events_lost=self._count(layout.EVENTS_LOST),
        )

    def _with_state(self, elements: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
        present = {key: self._flows.lookup(key) for key in elements}
        return {
            key: layout.with_state(value, earlier) if (earlier := present[key]) else value
            for key, value in elements.items()
        }

    def _undo(self, change: Change, elements: Mapping[bytes, bytes], now: int) -> None:
        before: dict[bytes, bytes] = {}
        for record in change.old:
            before |= record.elements(now)
        self._flows.delete_batch(key for key in elements if key not in before)
        self._flows.update_batch(before)

    def _count(self, index: int) -> int:
        value = self._counters.lookup(layout.number(index))
        return layout.total(value) if value else 0

    def _traffic(self, server: int, direction: int) -> Traffic:
        value = self._servers.lookup(layout.number(2 * server + direction))
        return layout.traffic(value) if value else Traffic()


def _replace(table: Map, elements: Mapping[bytes, bytes]) -> None:
    table.delete_batch([key for key, _ in table.items() if key not in elements])
    table.update_batch(elements)


def _typed(error: BpfError) -> FastPathError:
    return TableFull(str(error)) if error.errno in _NO_ROOM else Unavailable(str(error))
