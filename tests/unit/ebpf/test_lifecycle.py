"""Opening and closing: what is there, what is left, and what is not touched."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvloop

from fastpath.ebpf import EbpfFastPath
from fastpath.errors import Unavailable
from fastpath.records import Listener
from slowpath.wire.endpoint import Endpoint
from tests.unit.ebpf.hosts import Host, Laboratory, unique

PINS = Path("/sys/fs/bpf/l7lb")
OPEN_FOREVER = """
import asyncio, sys
from fastpath.ebpf import EbpfFastPath

async def main():
    fastpath = await EbpfFastPath.open(["client", "server"], name=sys.argv[1])
    print("open", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def links(host: Host) -> set[str]:
    return {link["ifname"] for link in json.loads(host.shell("ip -j link"))}


def filters(host: Host, interface: str) -> list[str]:
    """The names of the bpf filters at ingress."""
    found: list[dict[str, Any]] = json.loads(host.shell(f"tc -j filter show dev {interface} ingress"))
    return [one["options"]["bpf_name"] for one in found if "bpf_name" in one.get("options", {})]


def clsacts(host: Host) -> set[str]:
    return {qdisc["dev"] for qdisc in json.loads(host.shell("tc -j qdisc")) if qdisc["kind"] == "clsact"}


def pinned(names: list[str]) -> list[str]:
    return [name for name in names if (PINS / name).is_dir()]


def forwarding(host: Host, interface: str) -> str:
    return host.shell(f"sysctl -n net.ipv4.conf.{interface}.forwarding").strip()


async def opened_and_closed(laboratory: Laboratory, name: str) -> None:
    fastpath = await EbpfFastPath.open(laboratory.interfaces, name=name)
    await fastpath.close()
    await fastpath.close()
    with pytest.raises(Unavailable, match="closed"):
        await fastpath.configure([], [], [])
    assert [batch async for batch in fastpath.events()] == []


def test_nothing_is_left_after_close(laboratory: Laboratory) -> None:
    name, balancer = unique(), laboratory.balancer
    balancer.shell("tc qdisc add dev client clsact")
    before = links(balancer)
    balancer.run(lambda: uvloop.run(opened_and_closed(laboratory, name)))
    assert links(balancer) == before
    assert not (PINS / name).exists()
    assert clsacts(balancer) == {"client"}, "a clsact that was there stays, ours goes"
    assert filters(balancer, "client") == []
    assert [forwarding(balancer, interface) for interface in laboratory.interfaces] == ["0", "0"]


def settings6(host: Host, interface: str) -> list[str]:
    """Whether IPv6 is forwarded, and router advertisements are taken."""
    names = (f"net.ipv6.conf.{interface}.{name}" for name in ("forwarding", "accept_ra"))
    return [host.shell(f"sysctl -n {name}").strip() for name in names]


def test_ipv6_is_forwarded_once_it_is_configured_and_until_close(laboratory: Laboratory) -> None:
    balancer = laboratory.balancer
    listener, listener6 = (Listener(Endpoint.parse(text)) for text in ("10.1.0.100:80", "[2001:db8::100]:80"))

    async def configured() -> list[list[str]]:
        fastpath = await EbpfFastPath.open(["client"], name=unique())
        seen = []
        for listeners in ([listener], [listener, listener6], [listener]):
            await fastpath.configure(listeners, [], [])
            seen.append(settings6(balancer, "client"))
        await fastpath.close()
        return seen

    assert balancer.run(lambda: uvloop.run(configured())) == [["0", "1"], ["1", "2"], ["1", "2"]]
    assert settings6(balancer, "client") == ["0", "1"]


@pytest.mark.parametrize(
    ("interfaces", "name", "message"),
    [
        (["client", "absent"], "good", "there is no interface absent"),
        (["client", "client"], "good", "each once"),
        ([], "good", "interfaces are needed"),
        (["client"], "", "name '' is not"),
        (["client"], "fifteen-letters", "name 'fifteen-letters' is not"),
        (["client"], "taken", "interface taken1 is there already"),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_left(
    laboratory: Laboratory, interfaces: list[str], name: str, message: str
) -> None:
    laboratory.balancer.shell("ip link add taken1 type veth peer name other")
    before = links(laboratory.balancer)
    with pytest.raises(Unavailable, match=message):
        laboratory.balancer.run(lambda: asyncio.run(EbpfFastPath.open(interfaces, name=name)))
    assert links(laboratory.balancer) == before
    assert clsacts(laboratory.balancer) == set()
    assert forwarding(laboratory.balancer, "client") == "0"


def test_two_instances_side_by_side(laboratory: Laboratory) -> None:
    names = [unique("a"), unique("b")]

    async def scenario() -> None:
        first, second = [await EbpfFastPath.open(laboratory.interfaces, name=name) for name in names]
        assert filters(laboratory.balancer, "client") == [f"l7lb:{name}" for name in reversed(names)]
        await first.close()
        assert filters(laboratory.balancer, "client") == [f"l7lb:{names[1]}"]
        assert pinned(names) == [names[1]]
        await second.close()

    laboratory.balancer.run(lambda: uvloop.run(scenario()))
    assert clsacts(laboratory.balancer) == set()


def test_a_killed_run_is_cleaned_up_by_the_next(laboratory: Laboratory) -> None:
    name, balancer = unique(), laboratory.balancer
    command = [sys.executable, "-c", OPEN_FOREVER, name]
    killed = balancer.run(partial(subprocess.Popen, command, stdout=subprocess.PIPE, text=True))
    assert killed.stdout is not None
    assert killed.stdout.readline() == "open\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert filters(balancer, "client") == [f"l7lb:{name}"], "what forwards goes on forwarding"
    assert (PINS / name / "l7lb_splices").exists()
    balancer.run(lambda: uvloop.run(opened_and_closed(laboratory, name)))
    assert clsacts(balancer) == set()
    assert f"{name}0" not in links(balancer)
    assert not (PINS / name).exists()
