"""Packets that no honest TCP sends: counted and dropped, and nobody else is disturbed."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Iterator

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from deploy.laboratory.namespace import wait_until
from deploy.laboratory.topology import CLIENT_ADDRESS
from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from slowpath.wire.tcp import Segment
from tests.e2e.clients import ab, curl
from tests.e2e.sockets import packet_socket

_ETHERTYPE_IPV4 = 0x0800
_COPIES = 10
_COUNTED = 5.0
_TCP = 20
"""Where the TCP header starts."""
_DATA_OFFSET, _OPTIONS = _TCP + 12, _TCP + 20


class Wire:
    """Sends IPv4 packets as they are, from the client's host to the balancer's."""

    def __init__(self, laboratory: Laboratory) -> None:
        [link] = json.loads(laboratory.balancer.run(["ip", "-j", "link", "show", "eth0"]))
        self._socket = packet_socket(laboratory.client)
        self._target = ("eth0", _ETHERTYPE_IPV4, 0, 0, bytes.fromhex(link["address"].replace(":", "")))

    def send(self, packet: bytes | bytearray) -> None:
        self._socket.sendto(packet, self._target)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def wire(laboratory: Laboratory) -> Iterator[Wire]:
    made = Wire(laboratory)
    yield made
    made.close()


def _packet(flags: int, options: Options = Options(), payload: bytes = b"") -> bytearray:
    source, vip = Endpoint(socket.inet_aton(CLIENT_ADDRESS), 7), Endpoint(socket.inet_aton(VIP), 80)
    return bytearray(tcp.build(Segment(source, vip, 1000, 2000, flags, 65535, options, payload)))


@pytest.mark.parametrize(
    ("offset", "value"),
    [
        (_DATA_OFFSET, 4 << 4),
        (_DATA_OFFSET, 15 << 4),
        (_OPTIONS + 1, 0),
        (_OPTIONS + 1, 40),
        (_TCP + tcp.CHECKSUM_OFFSET, 1),
    ],
    ids=["header too short", "header beyond the packet", "option without length", "option too long", "checksum"],
)
def test_malformed_syn_is_dropped(laboratory: Laboratory, run: Run, wire: Wire, offset: int, value: int) -> None:
    packet = _packet(tcp.SYN, Options(mss=1460))
    packet[offset] = value ^ packet[offset] if offset == _TCP + tcp.CHECKSUM_OFFSET else value
    before = run.metrics().total("l7lb_drops_total")
    for _ in range(_COPIES):
        wire.send(packet)
    wait_until(
        lambda: run.metrics().total("l7lb_drops_total") >= before + _COPIES,
        _COUNTED,
        "the packets are counted as drops",
    )
    assert curl(laboratory, "/1k").status == 200


def test_mutated_packets_disturb_nobody(laboratory: Laboratory, run: Run, wire: Wire, seed: int) -> None:
    chance = random.Random(seed)
    originals = [
        _packet(tcp.SYN, Options(mss=1460, window_scale=7, sack_permitted=True, timestamps=(1, 0))),
        _packet(tcp.ACK | tcp.PSH, Options(timestamps=(1, 2)), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        _packet(tcp.FIN | tcp.ACK),
        _packet(tcp.RST),
    ]
    for _ in range(5000):
        packet = bytearray(chance.choice(originals))
        for _ in range(chance.randint(1, 4)):
            packet[chance.randrange(len(packet))] = chance.randrange(256)
        wire.send(packet[: chance.randint(1, len(packet))] if chance.random() < 0.2 else packet)
    assert ab(laboratory, "/10k", requests=500, concurrency=16) == 0
    assert run.process.poll() is None
    assert "Traceback" not in run.log.read_text()
