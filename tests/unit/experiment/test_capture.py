"""Capturing in a namespace: real packets over its loopback interface."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pyroute2 import netns

from deploy.experiment import tap
from deploy.experiment.capture import Capture
from deploy.experiment.tally import Direction
from deploy.experiment.tap import Tap, TapSocket
from deploy.laboratory.namespace import LaboratoryError, Namespace, sh

CLIENT, SERVER = "127.0.0.2", "127.0.0.1"
BOTH = [Tap("lo", direction) for direction in Direction]


class Host(Namespace):
    """A namespace in which functions can be run."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.thread = ThreadPoolExecutor(1, initializer=lambda: netns.setns(name, flags=0))

    def exchange(self, octets: int) -> None:
        """Send `octets` over a TCP connection from CLIENT to SERVER, which then closes it."""
        self.thread.submit(_exchange, octets).result()

    def datagrams(self, count: int) -> None:
        """Send UDP datagrams from CLIENT to SERVER."""
        self.thread.submit(_datagrams, count).result()


def _exchange(octets: int) -> None:
    with socket.create_server((SERVER, 0)) as listening:
        address = listening.getsockname()

        def send() -> None:
            with socket.create_connection(address, source_address=(CLIENT, 0)) as sending:
                sending.sendall(bytes(octets))

        # A thread starts in the namespace of the one that starts it.
        sender = threading.Thread(target=send)
        sender.start()
        accepted, _ = listening.accept()
        with accepted:
            while accepted.recv(1 << 16):
                pass
        sender.join()


def _datagrams(count: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.bind((CLIENT, 0))
        for _ in range(count):
            sending.sendto(b"x", (SERVER, 9))


@pytest.fixture
def host() -> Iterator[Host]:
    if os.geteuid():
        pytest.skip("network namespaces need root")
    name = f"l7lb-test-{os.getpid()}"
    sh(["ip", "netns", "add", name])
    host = Host(name)
    host.ip(["link set lo up"])
    yield host
    host.thread.shutdown()
    sh(["ip", "netns", "delete", name])


def test_a_packet_is_captured_once_by_each_tap_it_passes(host: Host) -> None:
    with Capture(host, BOTH, [CLIENT]) as capture:
        host.exchange(100)
        capture.wait_until_quiet()
    (packets,) = capture.tally.connections
    assert packets == 2 * capture.tally.captured[Direction.IN] == 2 * capture.tally.captured[Direction.OUT]
    assert packets >= 2 * 6, "a handshake, data and two FINs"
    assert capture.lost == 0


@pytest.mark.parametrize("direction", list(Direction))
def test_a_tap_sees_its_direction_only(host: Host, direction: Direction) -> None:
    with Capture(host, [Tap("lo", direction)], [CLIENT]) as capture:
        host.exchange(100)
        capture.wait_until_quiet()
    assert set(capture.tally.captured) == {direction}


def test_nothing_but_tcp_is_captured(host: Host) -> None:
    with Capture(host, BOTH, [CLIENT]) as capture:
        host.datagrams(10)
        host.exchange(1)
        capture.wait_until_quiet()
    (packets,) = capture.tally.connections
    assert capture.tally.captured.total() == packets


def test_super_packets_are_noticed(host: Host) -> None:
    with Capture(host, BOTH, [CLIENT]) as capture:
        host.exchange(1_000_000)
        capture.wait_until_quiet()
    assert capture.tally.oversized > 0


def test_what_finds_no_room_is_counted_as_lost(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap, "_BUFFER", 4096)
    opened = host.thread.submit(TapSocket, BOTH[0]).result()
    host.exchange(1_000_000)
    captured = 0
    while opened.receive() is not None:
        captured += 1
    assert captured > 0
    assert opened.lost() > 0
    assert opened.lost() == 0, "what has been asked for is not told again"
    opened.close()


def test_a_missing_interface_is_named(host: Host) -> None:
    with (
        pytest.raises(LaboratoryError, match=f"cannot capture at absent of {host.name}: No such device"),
        Capture(host, [Tap("absent", Direction.IN)], [CLIENT]),
    ):
        pass


def test_an_interface_that_goes_ends_the_capture_with_an_error(host: Host) -> None:
    host.ip(["link add near type veth peer name far", "link set near up", "link set far up"])
    with (
        pytest.raises(LaboratoryError, match=f"capture in {host.name} failed: Network is down"),
        Capture(host, [Tap("near", Direction.IN)], [CLIENT]),
    ):
        host.ip(["link delete near"])
