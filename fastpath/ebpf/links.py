"""Network devices: the pair of the CPU interface, tc filters, and forwarding.

The functions block for milliseconds: `fastpath.netlink.in_thread` runs them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from pyroute2 import IPRoute
from pyroute2.netlink import nlmsg_base

from fastpath.errors import Unavailable
from fastpath.netlink import netlink

_INGRESS, _EGRESS = 0xFFFF_FFF2, 0xFFFF_FFF3
_LARGEST_MTU = 65535
_MARK = "l7lb:"
_CONF = Path("/proc/sys/net")
_FORWARDING = ("ipv4/conf/{}/forwarding", "ipv6/conf/{}/accept_ra", "ipv6/conf/{}/forwarding")
_SENT_DROPPED = 11
"""The column of /proc/net/dev."""


def find(interfaces: Sequence[str]) -> list[int]:
    """The ifindexes of `interfaces`; raises Unavailable if one is missing."""
    indexes = []
    with netlink() as ipr:
        for interface in interfaces:
            found = ipr.link_lookup(ifname=interface)
            if not found:
                raise Unavailable(f"there is no interface {interface}: see `ip link`")
            indexes.append(found[0])
    return indexes


def create_pair(mark: str, slow: str, program: str) -> tuple[int, int]:
    """Create the veth pair of the CPU interface, marked `mark`, and set it up; returns both ifindexes."""
    with netlink() as ipr:
        for name in (slow, program):
            if ipr.link_lookup(ifname=name):
                raise Unavailable(f"the interface {name} is there already and not ours: choose another name")
        ipr.link("add", ifname=slow, kind="veth", peer={"ifname": program})
        indexes = []
        for name in (slow, program):
            index = ipr.link_lookup(ifname=name)[0]
            # Without IPv6 nothing but our frames passes the pair.
            _set(f"ipv6/conf/{name}/disable_ipv6", "1")
            ipr.link("set", index=index, mtu=_LARGEST_MTU, ifalias=mark, state="up")
            indexes.append(index)
    return indexes[0], indexes[1]


def mark_of(name: str) -> str:
    """What filters and devices of the instance `name` are marked with."""
    return f"{_MARK}{name}"


def attach(mark: str, programs: Mapping[int, int], added: list[int]) -> None:
    """Attach programs (by ifindex) at ingress as filters marked `mark`; `added` gets where the clsact is ours."""
    with netlink() as ipr:
        for index, program in programs.items():
            marks = _marks(ipr, index)
            if marks is None:
                ipr.tc("add", "clsact", index)
            # One that holds nothing but filters of other instances came with them.
            if marks is None or (marks and all(one.startswith(_MARK) for one in marks)):
                added.append(index)
            ipr.tc("add-filter", "bpf", index, parent=_INGRESS, fd=program, name=mark, direct_action=True)


def detach(mark: str, added: Collection[int] | None = None) -> None:
    """Remove the filters marked `mark`, and a clsact that is empty then and in `added` (None: any)."""
    with netlink() as ipr:
        for index in [link["index"] for link in ipr.get_links()]:
            if mark not in (_marks(ipr, index) or ()):
                continue
            for found in _filters(ipr, index, _INGRESS):
                if _mark(found) == mark:
                    ipr.tc("del-filter", "bpf", index, found["handle"], parent=_INGRESS, info=found["info"])
            if not _marks(ipr, index) and (added is None or index in added):
                ipr.tc("del", "clsact", index)


def _marks(ipr: IPRoute, index: int) -> list[str] | None:
    """The marks of the filters at an interface, empty for another's; None if there is no clsact."""
    if all(qdisc.get_attr("TCA_KIND") != "clsact" for qdisc in ipr.get_qdiscs(index)):
        return None
    return [_mark(found) for parent in (_INGRESS, _EGRESS) for found in _filters(ipr, index, parent)]


def _filters(ipr: IPRoute, index: int, parent: int) -> list[nlmsg_base]:
    # The dump has an entry for each preference, too, which has no options.
    return [found for found in ipr.get_filters(index=index, parent=parent) if found.get_attr("TCA_OPTIONS")]


def _mark(found: nlmsg_base) -> str:
    mark: str | None = found.get_attr("TCA_OPTIONS").get_attr("TCA_BPF_NAME")
    return mark or ""


def remove_pair(mark: str) -> None:
    """Remove the veth pair that is marked `mark`, if it is there."""
    with netlink() as ipr:
        ours = [link["index"] for link in ipr.get_links() if link.get_attr("IFLA_IFALIAS") == mark]
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


def forwarding(interfaces: Sequence[str]) -> dict[str, str]:
    """The settings that decide whether packets from `interfaces` are forwarded, for `restore`."""
    settings = [template.format(interface) for interface in interfaces for template in _FORWARDING]
    return {path: (_CONF / path).read_text().strip() for path in settings if (_CONF / path).exists()}


def forward_ipv4(interfaces: Sequence[str]) -> None:
    """Have IPv4 packets from `interfaces` forwarded; raises Unavailable."""
    for interface in interfaces:
        _set(f"ipv4/conf/{interface}/forwarding", "1")


def forward_ipv6(interfaces: Sequence[str]) -> None:
    """Have the route lookup forward IPv6 packets from `interfaces`; raises Unavailable."""
    for interface in interfaces:
        advertisements = _CONF / f"ipv6/conf/{interface}/accept_ra"
        # A router takes no default route from advertisements, and drops those that it has, unless this is 2.
        if advertisements.exists() and advertisements.read_text().strip() == "1":
            _set(f"ipv6/conf/{interface}/accept_ra", "2")
        _set(f"ipv6/conf/{interface}/forwarding", "1")


def restore(settings: Mapping[str, str]) -> None:
    """Undo it; an interface that has gone is passed over. Raises Unavailable."""
    for path, value in settings.items():
        _set(path, value)


def _set(path: str, value: str) -> None:
    """Write a setting; where it is missing there is nothing to set (no IPv6, or the interface has gone)."""
    setting = _CONF / path
    try:
        if setting.exists():
            setting.write_text(value)
    except OSError as error:
        raise Unavailable(f"cannot set {setting} to {value}: {error.strerror}") from error
