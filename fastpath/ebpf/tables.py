"""The maps of a loaded program that are changed and read by bpf(2): all but the splices and their index."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping, Sequence

from fastpath.ebpf import layout
from fastpath.ebpf.access import AccessLists
from fastpath.ebpf.libbpf import BpfError, Map
from fastpath.errors import FastPathError, TableFull, Unavailable
from fastpath.records import Counters, Direction, Drop, Listener, Reason, SynCookies, Traffic, Tuple4

EXPECTED_FOR = 60_000_000_000
"""Nanoseconds for which a 4-tuple stays expected, as in l7lb.bpf.c."""
_NO_ROOM = frozenset({errno.E2BIG, errno.ENOMEM, errno.ENOSPC})


class Tables:
    """The maps by name, `l7lb_` left out. What raises has changed nothing."""

    def __init__(self, maps: Mapping[str, Map]) -> None:
        self._paths, self._listeners, self._vips = maps["l7lb_paths"], maps["l7lb_listeners"], maps["l7lb_vips"]
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

    def set_path(self, number: int, value: bytes) -> None:
        """Write a struct path; raises Unavailable."""
        try:
            self._paths.update(layout.number(number), value)
        except BpfError as error:
            raise _typed(error) from error

    def expect(self, matches: Iterable[Tuple4], now: int) -> None:
        """Make packets expected that carry one of `matches`; raises TableFull or Unavailable. `now` in nanoseconds."""
        until = layout.instant(now + EXPECTED_FOR)
        try:
            self._expected.update_batch({layout.tuple4(match): until for match in matches})
        except BpfError as error:
            raise _typed(error) from error

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
