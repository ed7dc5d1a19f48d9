"""Hosts that are not adjacent: a client and a server, each behind a router whose link to it takes shorter packets."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.laboratory import Laboratory, Namespace, Server
from deploy.laboratory.client import Client
from deploy.laboratory.namespace import sh

MTU = 1300
"""What the routers' links to these hosts take, in bytes."""

_CLIENT_NETWORK, _SERVER_NETWORK = "10.3.0", "10.4.0"
_CLIENT_NETWORK6, _SERVER_NETWORK6 = "2001:db8:3:", "2001:db8:4:"


@dataclass(frozen=True, slots=True)
class Beyond:
    """The two hosts."""

    client: Client
    server: Server


@dataclass(frozen=True, slots=True)
class _Place:
    """A network of one host, .2, behind the router `near`, .1."""

    network: str
    network6: str
    host: Namespace
    near: Namespace
    address: str
    address6: str

    def build(self, laboratory: Laboratory) -> None:
        laboratory.adopt(self.host)
        sh(["ip", "netns", "add", self.host.name])
        self.near.sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        self.near.ip([f"link add far type veth peer name eth0 netns {self.host.name}"])
        self.host.ip(["link set lo up", *_interface("eth0", self.network, self.network6, 2)])
        self.host.ip([f"route add default via {self.network}.1", f"route add default via {self.network6}:1"])
        self.near.ip(_interface("far", self.network, self.network6, 1))
        # A link whose own MTU is smaller would tell both ends in their SYNs; what is forwarded keeps to a locked one.
        self.near.ip([f"route change {self.network}.0/24 dev far mtu lock {MTU}"])
        self.near.ip([f"route change {self.network6}:/64 dev far proto kernel metric 256 mtu lock {MTU}"])

    def way(self, verb: str) -> list[str]:
        """`ip -batch` lines for whoever routes between the networks."""
        return [
            f"route {verb} {self.network}.0/24 via {self.address}",
            f"route {verb} {self.network6}:/64 via {self.address6}",
        ]

    def clear(self) -> None:
        sh(["ip", "netns", "delete", self.host.name], check=False)
        self.near.sysctl("net.ipv4.ip_forward=0", "net.ipv6.conf.all.forwarding=0")


def _interface(name: str, network: str, network6: str, last: int) -> list[str]:
    return [
        f"address add {network}.{last}/24 dev {name}",
        f"address add {network6}:{last}/64 dev {name} nodad",
        f"link set {name} up",
    ]


def _places(laboratory: Laboratory) -> tuple[_Place, _Place]:
    """Behind another client, and behind a server that no tunnel leads to."""
    client, server = laboratory.clients[1], laboratory.servers[2]
    hosts = [Namespace(f"{laboratory.name}-far-{kind}") for kind in ("client", "server")]
    return (
        _Place(_CLIENT_NETWORK, _CLIENT_NETWORK6, hosts[0], client, client.address, client.address6),
        _Place(_SERVER_NETWORK, _SERVER_NETWORK6, hosts[1], server.namespace, server.address, server.address6),
    )


def routes(laboratory: Laboratory) -> list[dict[str, str]]:
    """The way to both networks in IPv4, as the configuration of a switch has it."""
    return [{"to": f"{place.network}.0/24", "via": place.address} for place in _places(laboratory)]


@contextmanager
def beyond(laboratory: Laboratory, directory: Path) -> Iterator[Beyond]:
    """Build both, and have the balancer's host, if it routes, know the way to them; `directory` is for the server."""
    places = near_client, near_server = _places(laboratory)
    client = Client(near_client.host.name, f"{_CLIENT_NETWORK}.2", f"{_CLIENT_NETWORK6}:2")
    addresses = f"{_SERVER_NETWORK}.2", f"{_SERVER_NETWORK6}:2"
    server = Server("far", *addresses, near_server.host, laboratory.fabric, directory)
    routed = laboratory.default_config()["fastpath"]["kind"] == "ebpf"
    with ExitStack() as stack:
        for place in places:
            stack.callback(place.clear)
            place.build(laboratory)
            if routed:
                laboratory.balancer.ip(place.way("add"))
                stack.callback(laboratory.balancer.ip, place.way("delete"))
        server.prepare(laboratory.directory / "content")
        stack.callback(server.stop)
        server.start()
        yield Beyond(client, server)


def forget(*hosts: Namespace) -> None:
    """Let hosts forget what they have learned of paths; both ends, as what one knows goes into its SYN's MSS."""
    for host in hosts:
        host.run(["ip", "-4", "route", "flush", "cache"])
        host.run(["ip", "-6", "route", "flush", "cache"])


def learned(host: Namespace) -> set[int]:
    """What a host has learned that paths take, in either IP version."""
    return {
        int(mtu)
        for version in ("-4", "-6")
        for mtu in re.findall(r"\bmtu (\d+)", host.run(["ip", version, "route", "show", "cache"]))
    }


def expect_download(laboratory: Laboratory, client: Namespace, name: str, address: str, host: str = "any") -> None:
    """`client` downloads a file of `host` through the balancer at `address`; it has to arrive byte for byte."""
    file = laboratory.directory / "download"
    client.run(["curl", "-sSf", "-m", "30", "-H", f"Host: {host}", "-o", str(file), f"http://{address}/{name}"])
    with file.open("rb") as content:
        assert hashlib.file_digest(content, "sha256").hexdigest() == laboratory.digests[name]


def expect_upload(laboratory: Laboratory, server: Server, name: str, address: str, host: str = "any") -> None:
    """The same of an upload to `server`, with the body right behind the head."""
    source = laboratory.directory / "content" / name
    fields = ["-H", "Expect:", "-H", f"Host: {host}"]
    laboratory.client.run(["curl", "-sSf", "-m", "30", *fields, "-T", str(source), f"http://{address}/upload/{name}"])
    stored = server.uploads / name
    with stored.open("rb") as content:
        assert hashlib.file_digest(content, "sha256").hexdigest() == laboratory.digests[name]
    stored.unlink()
