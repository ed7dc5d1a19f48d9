"""Random stories of clients and servers, after which nothing may be left, and no response may have gone astray."""

from __future__ import annotations

from random import Random

from fastpath.profile import HOST, SWITCH
from slowpath.limiting.clients import ClientPrefix
from slowpath.limiting.limits import ListenerLimits
from slowpath.limiting.slots import Slots, Taken
from slowpath.splicing.service import Timeouts
from slowpath.splicing.sources import Snat, Sources, Transparent
from slowpath.wire.endpoint import Endpoint
from tests.simulation.network import Impairment
from tests.simulation.peer import Ability, Peer
from tests.simulation.requests import Routed, answered, get, post, response

STORIES = 12
TIMEOUTS = Timeouts(head=3.0, answer=2.0, keep_alive=2.0, idle=30.0)
CLOSE_AFTER, NEVER_CLOSE = 1.0, None


class Lent:
    """Sources that know which of them are out."""

    def __init__(self, inner: Sources) -> None:
        self._inner = inner
        self.out: list[Endpoint] = []

    def take(self, client: Endpoint, server: Endpoint) -> Endpoint | None:
        source = self._inner.take(client, server)
        if source is not None:
            self.out.append(source)
        return source

    def give_back(self, source: Endpoint) -> None:
        self.out.remove(source)
        self._inner.give_back(source)


class Story:
    """Up to three clients, each with rows of requests, and servers with habits."""

    def __init__(self, seed: int) -> None:
        self.random = random = Random(seed)
        rough = Impairment(random.choice((0.0, 0.03)), random.choice((0.0, 0.05)), random.choice((0.0, 0.1)))
        self.sources = Lent(random.choice((Transparent(), Snat([bytes((10, 2, 0, 16))]))))
        self.world = world = Routed(
            seed,
            rough,
            profile=random.choice((HOST, SWITCH)),
            sources=self.sources,
            timeouts=TIMEOUTS,
            capacity=random.choice((0, 1, 1000, 1000)),
        )
        world.delay = random.choice((0.0, 0.005, 0.3))
        world.idle_close = random.choice((NEVER_CLOSE, CLOSE_AFTER))
        self.taken = Taken()
        world.service.limits = ListenerLimits(connections=Slots(10, ClientPrefix(), self.taken))
        self.asked = 0

    def tell(self) -> None:
        for index in range(self.random.choice((1, 2, 3))):
            self._client(
                self.world.client(40000 + index, self.random.choice((Ability(), Ability(536, None, False, False))))
            )
        self._end()

    def _client(self, client: Peer) -> None:
        """One client's part; others go on with theirs meanwhile."""
        random, world = self.random, self.world
        want, ends = b"", {0}
        for _ in range(random.choice((1, 3, 5))):
            row = [self._request() for _ in range(random.choice((1, 1, 2, 4)))]
            for request, answer in row:
                want += answer
                ends.add(len(want))
                client.write(request)
            if random.random() < 0.8:
                world.clock.run(20.0, answered(client, len(want)))
            world.clock.run(random.choice((0.0, 0.001, 0.1, 0.995, 1.0, 1.005, 3.0)))
            if client.got_fin or client.was_reset:
                break
        world.clock.run(20.0 * random.choice((0, 1, 1)), answered(client, len(want)))
        got = bytes(client.received)
        assert want.startswith(got)
        assert not client.got_fin or len(got) in ends
        random.choice((client.shutdown, client.abort))()

    def _request(self) -> tuple[bytes, bytes]:
        random = self.random
        self.asked += 1
        server, size = random.choice((0, 1)), random.choice((10, 3000, 20000))
        path = f"/{'ab'[server]}/{self.asked}/{size}"
        kind = random.random()
        if kind < 0.6:
            return get(path), response(path, server)
        if kind < 0.7:
            return get(path, "Connection: upgrade", "Upgrade: x"), response(path, server)
        body = random.randbytes(random.choice((0, 5000, 30000)))
        return post(path, body), response(path, server, len(body))

    def _end(self) -> None:
        """Peers fall silent after a while; what they have not closed is found idle."""
        world = self.world
        world.clock.run(60.0)
        for peer in (*world.clients.values(), *world.server_side.values()):
            if not peer.finished:
                peer.vanish()
        world.clock.run(700.0)
        world.sweep()
        world.clock.run(5.0)
        context = world.splicer._context
        assert (world.records, context.connections, context.partial, context.waiting) == (0, {}, {}, {})
        assert (context.sessions, context.junctions, context.splices) == (0, 0, 0)
        assert ([member.connections for member in world.members], self.sources.out, self.taken) == ([0, 0], [], {})


def test_random_stories(seed: int) -> None:
    for round_ in range(STORIES):
        try:
            Story(seed + round_).tell()
        except AssertionError as error:
            raise AssertionError(f"seed {seed + round_}") from error
