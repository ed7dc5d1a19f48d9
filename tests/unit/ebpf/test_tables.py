"""Splices and listeners in the kernel's own maps."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from fastpath.access import Access, Prefix
from fastpath.ebpf import layout
from fastpath.ebpf.attachment import SOURCE, load
from fastpath.ebpf.compile import compiled
from fastpath.ebpf.index import buckets_for
from fastpath.ebpf.libbpf import Map, Object
from fastpath.ebpf.splices import Splices
from fastpath.ebpf.tables import EXPECTED_FOR, Tables
from fastpath.errors import TableFull
from fastpath.records import Listener, Offer, Tuple4
from slowpath.wire.endpoint import Endpoint
from tests.unit.ebpf.memory import SERVER, VIP, splice

ROOM = 4
"""Splices that the kernel's map holds."""


@dataclass
class Kernel:
    """A loaded program that is attached to nothing."""

    tables: Tables
    splices: Splices
    maps: Mapping[str, Map]

    @property
    def listeners(self) -> Map:
        return self.maps["l7lb_listeners"]

    @property
    def access(self) -> Map:
        return self.maps["l7lb_access"]

    @property
    def expected(self) -> Map:
        return self.maps["l7lb_expected"]


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    if os.geteuid():
        pytest.skip("BPF needs root")
    program = Object(compiled(SOURCE))
    loaded = load(program, ROOM, cpu_ifindex=1)
    yield Kernel(loaded.tables, loaded.splices, program.maps)
    loaded.splices.close()
    program.close()


def test_splices_are_in_the_kernels_own_memory(kernel: Kernel) -> None:
    installed = [splice(port, pivot=port) for port in range(1, ROOM + 1)]
    kernel.splices.install(installed, 0)
    records = map(kernel.maps["l7lb_splices"].lookup, map(layout.number, range(ROOM)))
    assert [value and value[36:52] for value in records] == [
        struct.pack("=IIII", 0, one.delta, one.timestamp_delta, one.pivot) for one in installed
    ]
    assert kernel.maps["l7lb_paths"].lookup(layout.number(0)) == layout.path(VIP, SERVER, 7)
    buckets = map(kernel.maps["l7lb_index"].lookup, map(layout.number, range(buckets_for(ROOM))))
    taken = [slot for bucket in buckets for slot in struct.unpack("=8I", bucket or b"") if slot]
    assert len(taken) == 2 * ROOM
    with pytest.raises(TableFull):
        kernel.splices.install([splice(ROOM + 1)], 0)


def test_the_server_of_a_withdrawn_splice_is_expected(kernel: Kernel) -> None:
    replies = Tuple4(SERVER, splice(1).source)
    kernel.tables.expect([replies], 7)
    assert list(kernel.expected.items()) == [(layout.tuple4(replies), layout.instant(7 + EXPECTED_FOR))]


def test_listeners_are_replaced_whole(kernel: Kernel) -> None:
    others = [Listener(Endpoint.parse(f"10.1.0.{host}:443"), Offer(mss=host)) for host in (1, 2)]
    kernel.tables.set_listeners([Listener(VIP)])
    kernel.tables.set_listeners(others)
    assert dict(kernel.listeners.items()) == {layout.endpoint(one.endpoint): layout.offer(one) for one in others}


def _denying(*hosts: int) -> Access:
    return Access(deny=tuple(Prefix(bytes((10, 1, 0, host)), 32) for host in hosts))


def _deny(kernel: Kernel, *lists: Access | None) -> None:
    listeners = [Listener(Endpoint(VIP.address, port), access=access) for port, access in enumerate(lists, 1)]
    kernel.tables.set_listeners(listeners)


def _rules(kernel: Kernel, number: int, access: Access) -> list[bool]:
    """Whether the kernel has each rule of a list."""
    keys = (layout.access_key(number, *prefix) for prefix in access.rules)
    return [kernel.access.lookup(key) is not None for key in keys]


def test_an_access_list_is_there_once_and_goes_with_its_last_listener(kernel: Kernel) -> None:
    first, second = _denying(1, 2), _denying(3)
    _deny(kernel, first, None, first)
    assert all(_rules(kernel, 1, first))
    _deny(kernel, second, first)
    assert all(_rules(kernel, 1, first))
    assert all(_rules(kernel, 2, second))
    _deny(kernel, None, second)
    assert not any(_rules(kernel, 1, first))
    assert all(_rules(kernel, 2, second))
    _deny(kernel)
    assert not any(_rules(kernel, 2, second))


def test_too_many_prefixes_change_nothing(kernel: Kernel) -> None:
    kept = _denying(1)
    _deny(kernel, kept)
    addresses = ((10 << 24 | number).to_bytes(4, "big") for number in range(layout.MAX_ACCESS_RULES))
    many = Access(deny=tuple(Prefix(address, 32) for address in addresses))
    with pytest.raises(TableFull, match="prefixes of access lists do not fit"):
        _deny(kernel, many)
    assert all(_rules(kernel, 1, kept))
    assert len(list(kernel.listeners.items())) == 1


def test_too_many_listeners_change_nothing(kernel: Kernel) -> None:
    kernel.tables.set_listeners([Listener(VIP)])
    many = [Listener(Endpoint(port.to_bytes(4, "big"), 80)) for port in range(layout.MAX_LISTENERS + 1)]
    with pytest.raises(TableFull, match="65537 listeners do not fit"):
        kernel.tables.set_listeners(many)
    assert len(list(kernel.listeners.items())) == 1
