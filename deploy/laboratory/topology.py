"""Which namespaces a laboratory has and how they are joined; values only, nothing is created here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

VIP = "10.1.0.100"
VIP6 = "2001:db8:1::100"
CLIENT_NETWORK = "10.1.0.0/24"
SERVER_NETWORK = "10.2.0.0/24"
CLIENT, BALANCER, FABRIC = "client", "balancer", "fabric"
CLIENT_GATEWAY, _SERVER_GATEWAY = "10.1.0.1", "10.2.0.1"
_CLIENT_GATEWAY6, _SERVER_GATEWAY6 = "2001:db8:1::1", "2001:db8:2::1"
_FIRST_CLIENT, _FIRST_SERVER = 2, 11
CLIENT_ADDRESS = f"10.1.0.{_FIRST_CLIENT}"
MAX_CLIENTS, MAX_SERVERS = 90, 100

TUNNEL_DEVICE = "vxlan0"
"""On servers behind a tunnel, with the address that they are reached at."""
_VNI = 42
_TUNNEL_MSS = 1410
"""The outer headers have to fit the MTU of the server network, too."""

_HOST_SETTINGS = ("net.ipv4.tcp_no_metrics_save=1",)
_SETTINGS = {
    CLIENT: _HOST_SETTINGS,
    BALANCER: (
        *_HOST_SETTINGS,
        "net.ipv4.ip_forward=1",
        # With one arm every routed packet leaves the way it came; redirects would take the balancer out of the path.
        "net.ipv4.conf.all.send_redirects=0",
        "net.ipv4.conf.default.send_redirects=0",
    ),
}
_WITHOUT_IPV6 = ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
_SWITCH_SETTINGS = (
    # Nothing but frames of the switch leaves through its ports.
    *_WITHOUT_IPV6,
    "net.ipv4.ip_forward=0",
)
_TUNNEL_SETTINGS = (
    *_HOST_SETTINGS,
    *_WITHOUT_IPV6,
    # What comes out of the tunnel is answered beside it.
    "net.ipv4.conf.all.rp_filter=0",
    "net.ipv4.conf.default.rp_filter=0",
)


@dataclass(frozen=True, slots=True)
class Tunnel:
    """The VXLAN device of a server that is not adjacent: `address` is reached through it only."""

    address: str
    mac: str
    remote: str

    @property
    def route(self) -> dict[str, object]:
        """The route to it, as a configuration of L7LB has it."""
        end = {"local": _SERVER_GATEWAY, "remote": self.remote, "vni": _VNI, "mac": self.mac}
        return {"to": f"{self.address}/32", "vxlan": end}


@dataclass(frozen=True, slots=True)
class Link:
    """A cable from a host's interface to a port of a switch (a bridge in the fabric's namespace).

    The interface of a `programmable` host has no addresses in the kernel: the switch that the host is has them.
    Next to it no host has IPv6 addresses, `addresses6`.
    """

    host: str
    interface: str
    port: str
    switch: str
    addresses: tuple[str, ...]
    addresses6: tuple[str, ...] = ()
    gateway: str | None = None
    gateway6: str | None = None
    programmable: bool = False
    tunnel: Tunnel | None = None


def client_name(number: int) -> str:
    """The host name of a client; the first has number 1 and, as most laboratories have no other, none in its name."""
    return CLIENT if number == 1 else f"{CLIENT}{number}"


def server_name(number: int) -> str:
    """The host name of a server; the first has number 1."""
    return f"server{number}"


def links(servers: int, arms: int, *, clients: int = 1, programmable: bool = False, tunnelled: int = 0) -> list[Link]:
    """The cables of a laboratory; raises ValueError for numbers that do not fit.

    With two arms the client network and the server network are two switches, and the balancer's
    host has an interface on each. With one arm both networks share a switch and that interface.
    The last `tunnelled` of the servers are reached through tunnels, which takes a `programmable` balancer.
    """
    if not 1 <= servers <= MAX_SERVERS:
        raise ValueError(f"a laboratory has 1 to {MAX_SERVERS} servers, not {servers}")
    if not 1 <= clients <= MAX_CLIENTS:
        raise ValueError(f"a laboratory has 1 to {MAX_CLIENTS} clients, not {clients}")
    if arms not in (1, 2):
        raise ValueError(f"the balancer's host has 1 or 2 arms, not {arms}")
    if tunnelled and not programmable:
        raise ValueError("the tunnels to servers start at a switch, not at a host")
    front, back = ("clients", "servers") if arms == 2 else ("lan", "lan")
    gateways = (f"{CLIENT_GATEWAY}/24", f"{_SERVER_GATEWAY}/24")
    gateways6 = (f"{_CLIENT_GATEWAY6}/64", f"{_SERVER_GATEWAY6}/64")
    arm = partial(Link, BALANCER, programmable=programmable)
    if arms == 1:
        balancer = [arm("eth0", "balancer0", front, gateways, gateways6)]
    else:
        balancer = [
            arm("eth0", "balancer0", front, gateways[:1], gateways6[:1]),
            arm("eth1", "balancer1", back, gateways[1:], gateways6[1:]),
        ]
    cables = [
        *(_client(number, front) for number in range(1, clients + 1)),
        *balancer,
        *(_server(number, back, tunnelled=number > servers - tunnelled) for number in range(1, servers + 1)),
    ]
    return [replace(link, addresses6=(), gateway6=None) for link in cables] if programmable else cables


def _client(number: int, switch: str) -> Link:
    name, last = client_name(number), _FIRST_CLIENT + number - 1
    addresses, addresses6 = (f"10.1.0.{last}/24",), (f"2001:db8:1::{last}/64",)
    return Link(name, "eth0", name, switch, addresses, addresses6, CLIENT_GATEWAY, _CLIENT_GATEWAY6)


def _server(number: int, switch: str, *, tunnelled: bool) -> Link:
    name, last = server_name(number), _FIRST_SERVER + number - 1
    address = f"10.2.0.{last}"
    tunnel = Tunnel(f"10.9.0.{last}", f"02:09:00:00:00:{last:02x}", address) if tunnelled else None
    addresses, addresses6 = (f"{address}/24",), (f"2001:db8:2::{last}/64",)
    return Link(name, "eth0", name, switch, addresses, addresses6, _SERVER_GATEWAY, _SERVER_GATEWAY6, tunnel=tunnel)


def is_client(link: Link) -> bool:
    """Whether a client is at the end of `link`."""
    return link.host.startswith(CLIENT)


def is_server(link: Link) -> bool:
    """Whether a server is at the end of `link`."""
    return not is_client(link) and link.host != BALANCER


def host_address(link: Link) -> str:
    """Where the client or the server at the end of `link` is reached."""
    return link.tunnel.address if link.tunnel else link.addresses[0].partition("/")[0]


def host_address6(link: Link) -> str:
    """The same in IPv6; empty for a host that has none."""
    return next((address.partition("/")[0] for address in link.addresses6), "")


def settings(link: Link) -> tuple[str, ...]:
    """The sysctl assignments of the namespace of `link.host`."""
    if link.programmable:
        return _SWITCH_SETTINGS
    return _TUNNEL_SETTINGS if link.tunnel else _SETTINGS.get(link.host, _HOST_SETTINGS)


def wiring(cables: list[Link], namespaces: dict[str, str]) -> list[str]:
    """`ip -batch` lines for the initial namespace; `namespaces` maps hosts to the names of their namespaces."""
    fabric = namespaces[FABRIC]
    return [f"netns add {name}" for name in namespaces.values()] + [
        f"link add {link.interface} netns {namespaces[link.host]} type veth peer name {link.port} netns {fabric}"
        for link in cables
    ]


def host_setup(cables: list[Link], host: str) -> list[str]:
    """`ip -batch` lines for the namespace of `host`."""
    lines = ["link set lo up"]
    for link in cables:
        if link.host == host:
            addresses = () if link.programmable else link.addresses
            lines += [f"address add {address} dev {link.interface}" for address in addresses]
            lines += [f"address add {address} dev {link.interface} nodad" for address in link.addresses6]
            lines.append(f"link set {link.interface} up")
            gateways = filter(None, (link.gateway, link.gateway6))
            lines += [f"route add default via {gateway} dev {link.interface}" for gateway in gateways]
            if link.tunnel:
                lines += _tunnel_setup(link.tunnel, link)
    return lines


def _tunnel_setup(tunnel: Tunnel, link: Link) -> list[str]:
    ends = f"local {tunnel.remote} remote {_SERVER_GATEWAY} dev {link.interface}"
    device = f"vxlan id {_VNI} {ends} dstport 4789 nolearning"
    return [
        f"route replace default via {link.gateway} advmss {_TUNNEL_MSS}",
        f"route replace {SERVER_NETWORK} dev {link.interface} src {tunnel.remote} proto kernel advmss {_TUNNEL_MSS}",
        f"link add {TUNNEL_DEVICE} address {tunnel.mac} type {device}",
        f"address add {tunnel.address}/32 dev {TUNNEL_DEVICE}",
        f"link set {TUNNEL_DEVICE} up",
    ]


def fabric_setup(cables: list[Link]) -> list[str]:
    """`ip -batch` lines for the fabric's namespace."""
    switches = sorted({link.switch for link in cables})
    lines = [f"link add {switch} type bridge forward_delay 0 mcast_snooping 0" for switch in switches]
    lines += [f"link set {link.port} master {link.switch} up" for link in cables]
    return lines + [f"link set {switch} up" for switch in switches]
