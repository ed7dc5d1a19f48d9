"""Requests that a server might take for others than L7LB does: refused on the wire, and no server sees any of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from tests.e2e.scripted import SCRIPTED_PORT, ScriptedServer, scripted_listener
from tests.e2e.sockets import connect, read_all, read_exactly
from tests.smuggling import ATTACKS, Attack

_HONEST = f"GET /honest HTTP/1.1\r\nHost: {VIP}\r\n\r\n".encode()
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_ATTACKS = pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])


@pytest.fixture(scope="module")
def run(laboratory: Laboratory, scripted: ScriptedServer) -> Iterator[Run]:
    sections = scripted_listener(laboratory)
    sections["listeners"]["scripted"]["routing"] = "request"
    started = laboratory.run(laboratory.config(**sections))
    yield started
    assert started.stop() == 0, started.log_tail()


@_ATTACKS
def test_as_the_first_request(laboratory: Laboratory, run: Run, scripted: ScriptedServer, attack: Attack) -> None:
    with connect(laboratory.client, VIP, SCRIPTED_PORT) as client:
        client.sendall(attack.data)
        assert _status(read_all(client)) == attack.status
    # What arrives next is not the attack.
    with connect(laboratory.client, VIP, SCRIPTED_PORT) as client:
        client.sendall(_HONEST)
        with scripted.accept().connection as server:
            server.sendall(_ANSWER)
            assert read_exactly(client, len(_ANSWER)) == _ANSWER


@_ATTACKS
def test_as_a_later_request(laboratory: Laboratory, run: Run, scripted: ScriptedServer, attack: Attack) -> None:
    with connect(laboratory.client, VIP, SCRIPTED_PORT) as client:
        client.sendall(_HONEST)
        accepted = scripted.accept()
        assert accepted.head == _HONEST
        with accepted.connection as server:
            server.sendall(_ANSWER)
            assert read_exactly(client, len(_ANSWER)) == _ANSWER
            client.sendall(attack.data)
            assert read_all(server) == b""
        assert _status(read_all(client)) == attack.status


def _status(answer: bytes) -> int:
    match = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    assert match, answer
    return int(match[1])
