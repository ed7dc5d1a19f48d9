"""Which namespaces a laboratory has and how they are joined; values only, nothing is created here."""

from __future__ import annotations

from dataclasses import dataclass

VIP = "10.1.0.100"
CLIENT_NETWORK = "10.1.0.0/24"
SERVER_NETWORK = "10.2.0.0/24"
CLIENT, BALANCER, FABRIC = "client", "balancer", "fabric"
CLIENT_GATEWAY, _SERVER_GATEWAY = "10.1.0.1", "10.2.0.1"
CLIENT_ADDRESS = "10.1.0.2"
_FIRST_SERVER = 11
MAX_SERVERS = 100

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
    FABRIC: (),
}


@dataclass(frozen=True, slots=True)
class Link:
    """A cable from a host's interface to a port of a switch (a bridge in the fabric's namespace)."""

    host: str
    interface: str
    port: str
    switch: str
    addresses: tuple[str, ...]
    gateway: str | None = None


def server_name(number: int) -> str:
    """The host name of a server; the first has number 1."""
    return f"server{number}"


def server_address(number: int) -> str:
    """The address of a server; the first has number 1."""
    return f"10.2.0.{_FIRST_SERVER + number - 1}"


def links(servers: int, arms: int) -> list[Link]:
    """The cables of a laboratory; raises ValueError for numbers that do not fit.

    With two arms the client network and the server network are two switches, and the balancer's
    host has an interface on each. With one arm both networks share a switch and that interface.
    """
    if not 1 <= servers <= MAX_SERVERS:
        raise ValueError(f"a laboratory has 1 to {MAX_SERVERS} servers, not {servers}")
    if arms not in (1, 2):
        raise ValueError(f"the balancer's host has 1 or 2 arms, not {arms}")
    front, back = ("clients", "servers") if arms == 2 else ("lan", "lan")
    gateways = (f"{CLIENT_GATEWAY}/24", f"{_SERVER_GATEWAY}/24")
    balancer = [Link(BALANCER, "eth0", "balancer0", front, gateways if arms == 1 else gateways[:1])]
    if arms == 2:
        balancer.append(Link(BALANCER, "eth1", "balancer1", back, gateways[1:]))
    return [
        Link(CLIENT, "eth0", CLIENT, front, (f"{CLIENT_ADDRESS}/24",), CLIENT_GATEWAY),
        *balancer,
        *(
            Link(server_name(n), "eth0", server_name(n), back, (f"{server_address(n)}/24",), _SERVER_GATEWAY)
            for n in range(1, servers + 1)
        ),
    ]


def settings(host: str) -> tuple[str, ...]:
    """The sysctl assignments of a host's namespace."""
    return _SETTINGS.get(host, _HOST_SETTINGS)


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
            lines += [f"address add {address} dev {link.interface}" for address in link.addresses]
            lines.append(f"link set {link.interface} up")
            if link.gateway:
                lines.append(f"route add default via {link.gateway}")
    return lines


def fabric_setup(cables: list[Link]) -> list[str]:
    """`ip -batch` lines for the fabric's namespace."""
    switches = sorted({link.switch for link in cables})
    lines = [f"link add {switch} type bridge forward_delay 0 mcast_snooping 0" for switch in switches]
    lines += [f"link set {link.port} master {link.switch} up" for link in cables]
    return lines + [f"link set {switch} up" for switch in switches]
