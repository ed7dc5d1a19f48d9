"""A world whose listener speaks other protocols than HTTP/1.1, and servers for it."""

from __future__ import annotations

from collections.abc import Callable

from slowpath.routing.router import Router, Rule
from slowpath.splicing.protocols import ApplicationProtocol
from tests.simulation.network import Impairment
from tests.simulation.peer import Peer
from tests.simulation.world import World
from tests.unit.http.test_h2_reader import GET, headers, stream
from tests.unit.tls.hellos import alpn, hello, server_name

ROUGH = Impairment(loss=0.05, duplication=0.05, reordering=0.1)
LIMIT = 16384
NAMED = hello(server_name("www.example.com"), alpn("h2", "http/1.1"))
HTTP2 = stream(headers(GET))


def world(protocol: ApplicationProtocol, *rules: Rule, default: bool = True, **details: object) -> World:
    """A world whose listener speaks `protocol`."""
    made = World(**details)  # type: ignore[arg-type]
    made.service.protocol = protocol
    made.service.router = Router(rules, {"web": 1} if default else None)
    return made


def answer(expected: int, answered: bytes) -> Callable[[Peer], None]:
    """A server that answers so many bytes, and closes after the client."""

    def serve(peer: Peer) -> None:
        done = False

        def on_data() -> None:
            nonlocal done
            if len(peer.received) >= expected and not done:
                done = True
                peer.write(answered)
            if peer.got_fin:
                peer.shutdown()

        peer.on_data = on_data

    return serve


def greet(greeting: bytes) -> Callable[[Peer], None]:
    """A server that speaks first, then repeats what it gets, and closes after the client."""

    def serve(peer: Peer) -> None:
        echoed = 0
        peer.write(greeting)

        def on_data() -> None:
            nonlocal echoed
            peer.write(bytes(peer.received[echoed:]))
            echoed = len(peer.received)
            if peer.got_fin:
                peer.shutdown()

        peer.on_data = on_data

    return serve


def ended(client: Peer) -> Callable[[], bool]:
    return lambda: client.got_fin or client.was_reset


def told(made: World, data: bytes, seconds: float = 60.0) -> bytes:
    """What the client is told that sends `data`, before a clean close."""
    client = made.client()
    client.write(data)
    made.clock.run(seconds, ended(client))
    assert client.got_fin and not client.was_reset
    client.shutdown()
    made.clock.run(30.0)
    assert client.fin_acked and not made.splicer.connections()
    return bytes(client.received)
