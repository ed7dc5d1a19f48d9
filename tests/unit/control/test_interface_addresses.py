"""IPv6 addresses that a run adds to interfaces, and takes away again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from slowpath.control.host import KernelHost
from tests.unit.ebpf.hosts import Host

_VIP, _OTHER, _SNAT = "2001:db8:1::100", "2001:db8:1::101", "2001:db8:2::20"


@pytest.fixture
def machine() -> Iterator[Host]:
    host = Host()
    for name in ("front", "back"):
        host.shell(f"ip link add {name} type veth peer name {name}-peer", f"ip link set {name} up")
    yield host
    host.close()


def answer_for(machine: Host, host: KernelHost, *networks: str) -> None:
    machine.run(lambda: asyncio.run(host.answer_for(networks)))


def addresses(machine: Host) -> dict[tuple[str, str], dict[str, Any]]:
    """The global ones, by interface and address."""
    links: list[dict[str, Any]] = json.loads(machine.shell("ip -j -6 address show scope global"))
    return {(link["ifname"], found["local"]): found for link in links if link for found in link["addr_info"] if found}


def test_they_are_on_every_interface_at_once_and_nobodys_first_choice(machine: Host) -> None:
    host = KernelHost(["front", "back"])
    answer_for(machine, host, f"{_VIP}/128", f"{_SNAT}/127")
    found = addresses(machine)
    expected = {_VIP, _SNAT, "2001:db8:2::21"}
    assert found.keys() == {(name, address) for name in ("front", "back") for address in expected}
    for one in found.values():
        assert (one["prefixlen"], one["deprecated"], one["nodad"]) == (128, True, True)
        assert not one.get("tentative")


def test_what_is_not_wanted_any_more_goes_and_what_was_there_stays(machine: Host) -> None:
    machine.shell(f"ip address add {_VIP}/64 dev front nodad")
    host = KernelHost(["front", "back"])
    answer_for(machine, host, f"{_VIP}/128", f"{_OTHER}/128")
    assert addresses(machine).keys() == {(name, one) for name in ("front", "back") for one in (_VIP, _OTHER)}
    answer_for(machine, host, f"{_VIP}/128")
    assert addresses(machine).keys() == {("front", _VIP), ("back", _VIP)}
    machine.run(lambda: asyncio.run(host.close()))
    assert addresses(machine).keys() == {("front", _VIP)}


def test_what_a_killed_run_left_is_taken_over(machine: Host) -> None:
    answer_for(machine, KernelHost(["front"]), f"{_VIP}/128")
    host = KernelHost(["front"])
    answer_for(machine, host, f"{_VIP}/128")
    machine.run(lambda: asyncio.run(host.close()))
    assert not addresses(machine)


def test_one_that_somebody_else_removed_is_no_error(machine: Host) -> None:
    host = KernelHost(["front", "back"])
    answer_for(machine, host, f"{_VIP}/128")
    machine.shell(f"ip address del {_VIP}/128 dev front", "ip link del back")
    answer_for(machine, host)
    assert not addresses(machine)
