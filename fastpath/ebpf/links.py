"""Network devices: the pair of the CPU interface, tc filters, and forwarding.

The functions block for milliseconds, and pyroute2 needs an event loop of its own: `in_thread` runs them.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pyroute2 import IPRoute
from pyroute2.netlink import nlmsg_base
from pyroute2.netlink.exceptions import NetlinkError

from fastpath.errors import Unavailable

_INGRESS, _EGRESS = 0xFFFF_FFF2, 0xFFFF_FFF3
_LARGEST_MTU = 65535
_CONF = Path("/proc/sys/net")
_SENT_DROPPED = 11
"""The column of /proc/net/dev."""

_T = TypeVar("_T")


async def in_thread(function: Callable[[], _T]) -> _T:
    """Run `function` in a new thread, which is in the network namespace of the one that starts it."""
    with ThreadPoolExecutor(1) as executor:
        return await asyncio.get_running_loop().run_in_executor(executor, function)


def find(interfaces: Sequence[str]) -> list[int]:
    """The ifindexes of `interfaces`; raises Unavailable if one is missing."""
    indexes = []
    with _netlink() as ipr:
        for interface in interfaces:
            found = ipr.link_lookup(ifname=interface)
            if not found:
                raise Unavailable(f"there is no interface {interface}: see `ip link`")
            indexes.append(found[0])
    return indexes


def create_pair(label: str, slow: str, program: str) -> tuple[int, int]:
    """Create the veth pair of the CPU interface, marked with `label`, and set it up; returns both ifindexes."""
    with _netlink() as ipr:
        for name in (slow, program):
            if ipr.link_lookup(ifname=name):
                raise Unavailable(f"the interface {name} is there already and not ours: choose another name")
        ipr.link("add", ifname=slow, kind="veth", peer={"ifname": program})
        indexes = []
        for name in (slow, program):
            index = ipr.link_lookup(ifname=name)[0]
            # Without IPv6 nothing but our frames passes the pair.
            _set(f"ipv6/conf/{name}/disable_ipv6", "1")
            ipr.link("set", index=index, mtu=_LARGEST_MTU, ifalias=label, state="up")
            indexes.append(index)
    return indexes[0], indexes[1]


def attach(label: str, programs: Mapping[int, int], added: list[int]) -> None:
    """Attach programs (ifindex to descriptor) at ingress as filters named `label`; `added` gets where clsact is new."""
    with _netlink() as ipr:
        for index, program in programs.items():
            try:
                ipr.tc("add", "clsact", index)
                added.append(index)
            except NetlinkError as error:
                if error.code != errno.EEXIST:
                    raise
            ipr.tc("add-filter", "bpf", index, parent=_INGRESS, fd=program, name=label, direct_action=True)


def detach(label: str, added: Collection[int] | None = None) -> None:
    """Remove the filters named `label`, and a clsact that is empty then and in `added` (None: any)."""
    with _netlink() as ipr:
        for qdisc in list(ipr.get_qdiscs()):
            index = qdisc["index"]
            if qdisc.get_attr("TCA_KIND") != "clsact":
                continue
            ours = [found for found in ipr.get_filters(index=index, parent=_INGRESS) if _label(found) == label]
            for found in ours:
                ipr.tc("del-filter", "bpf", index, found["handle"], parent=_INGRESS, info=found["info"])
            empty = not any(list(ipr.get_filters(index=index, parent=parent)) for parent in (_INGRESS, _EGRESS))
            if ours and empty and (added is None or index in added):
                ipr.tc("del", "clsact", index)


def remove_pair(label: str) -> None:
    """Remove the veth pair that is marked with `label`, if it is there."""
    with _netlink() as ipr:
        ours = [link["index"] for link in ipr.get_links() if link.get_attr("IFLA_IFALIAS") == label]
        # The second end goes with the first.
        for index in ours[:1]:
            ipr.link("del", index=index)


def lost(interface: str) -> int:
    """Packets that were to leave through `interface` and found no room."""
    for line in Path("/proc/thread-self/net/dev").read_text().splitlines():
        name, _, columns = line.partition(":")
        if name.strip() == interface:
            return int(columns.split()[_SENT_DROPPED])
    return 0


def enable_forwarding(interfaces: Sequence[str]) -> dict[str, str]:
    """Let IPv4 packets from `interfaces` be forwarded; returns the settings before, for `restore_forwarding`."""
    before = {}
    for interface in interfaces:
        path = _forwarding(interface)
        before[interface] = (_CONF / path).read_text().strip()
        _set(path, "1")
    return before


def restore_forwarding(before: Mapping[str, str]) -> None:
    """Undo `enable_forwarding`; an interface that has gone is passed over."""
    for interface, value in before.items():
        _set(_forwarding(interface), value)


def _forwarding(interface: str) -> str:
    return f"ipv4/conf/{interface}/forwarding"


def _set(path: str, value: str) -> None:
    """Write a setting; where it is missing there is nothing to set (no IPv6, or the interface has gone)."""
    setting = _CONF / path
    if setting.exists():
        setting.write_text(value)


def _label(found: nlmsg_base) -> str | None:
    options = found.get_attr("TCA_OPTIONS")
    label: str | None = options and options.get_attr("TCA_BPF_NAME")
    return label


@contextmanager
def _netlink() -> Iterator[IPRoute]:
    loop = asyncio.SelectorEventLoop()
    try:
        with IPRoute(use_event_loop=loop) as ipr:
            yield ipr
    except NetlinkError as error:
        raise Unavailable(f"the kernel refuses a change of its network devices: {error}") from error
    finally:
        loop.close()
