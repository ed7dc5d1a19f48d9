"""100,000 mutated frames into the slow path: no exception escapes, and nobody else is disturbed."""

from __future__ import annotations

from random import Random

from fastpath import frame
from fastpath.frame import BadFrame
from fastpath.interface import Batch
from slowpath.splicing.outcome import Outcome
from slowpath.splicing.session import Session
from slowpath.wire import tcp
from slowpath.wire.checksum import fold, internet_checksum, pseudo_header_sum
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options
from slowpath.wire.tcp import MalformedPacket, Segment
from tests.simulation.world import SERVERS, VIP, World, finish

FRAMES = 100_000
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Recorder(World):
    """A world that keeps what its slow path was given."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.seen: list[bytes] = []
        take_batch = self.fastpath.take_batch

        def record() -> Batch:
            batch = take_batch()
            self.seen += [punt.raw for punt in batch.punts]
            return batch

        self.fastpath.take_batch = record  # type: ignore[method-assign]


class Quiet(World):
    """A world in which only one client and its server live; what is sent to others is lost."""

    bystander = Endpoint(bytes((10, 1, 0, 2)), 39999)

    def _to_client(self, packet: bytes) -> None:
        if packet[22:24] == self.bystander.port.to_bytes(2, "big"):
            super()._to_client(packet)

    def _to_server(self, packet: bytes) -> None:
        if packet[20:22] == self.bystander.port.to_bytes(2, "big"):
            super()._to_server(packet)


def corpus(seed: int) -> list[bytes]:
    """Frames of real connections: handshakes, heads whole and in pieces, replies of servers."""
    world = Recorder(seed)
    for index in range(6):
        client = world.client(42000 + index)
        for part in (GET[:10], GET[10:]) if index % 2 else (GET,):
            client.write(part)
            world.clock.run(0.1)
    return world.seen


def mutated(raw: bytes, random: Random) -> bytes:
    """One to four bytes changed, or the end cut off, or bytes added; half of them with checksums that fit again."""
    out = bytearray(raw)
    kind = random.randrange(4)
    if kind == 0:
        del out[random.randrange(len(out)) :]
    elif kind == 1:
        out += random.randbytes(random.randrange(1, 64))
    else:
        for _ in range(random.randrange(1, 5)):
            # Mostly the headers: that is where decisions are made.
            at = random.randrange(min(len(out), 100) if random.random() < 0.8 else len(out))
            out[at] = random.randrange(256)
    return mended(bytes(out)) if random.random() < 0.5 else bytes(out)


def mended(raw: bytes) -> bytes:
    """The frame with checksums that fit its bytes, if it is still long enough to have any."""
    packet = bytearray(raw[frame.PACKET_OFFSET :])
    if len(packet) < 40:
        return raw
    start = (packet[0] & 15) * 4
    total = min(int.from_bytes(packet[2:4], "big"), len(packet))
    field = start + tcp.CHECKSUM_OFFSET
    if total < field + 2:
        return raw
    packet[field : field + 2] = b"\0\0"
    pseudo = fold(pseudo_header_sum(bytes(packet[12:16]), bytes(packet[16:20]), tcp.PROTOCOL, total - start))
    packet[field : field + 2] = internet_checksum(packet[start:total], pseudo).to_bytes(2, "big")
    return raw[: frame.PACKET_OFFSET] + bytes(packet)


def arrive(world: World, raw: bytes) -> str:
    """What the driver does with a frame; says what became of it."""
    try:
        punt = frame.decode(raw)
        segment = tcp.parse(punt.packet, checksum_known=punt.checksum_known)
    except BadFrame:
        return "bad frame"
    except MalformedPacket:
        return "malformed"
    world.splicer.receive(punt, segment, world.clock.now)
    return "received"


def test_no_exception_escapes_and_others_go_on(seed: int) -> None:
    random = Random(seed)
    frames = corpus(seed)
    assert len(frames) > 20
    world = Quiet(seed)
    bystander = world.client(Quiet.bystander.port)
    world.clock.run(0.1)
    fates: dict[str, int] = {}
    for index in range(FRAMES):
        fate = arrive(world, mutated(random.choice(frames), random))
        fates[fate] = fates.get(fate, 0) + 1
        if index % 64 == 0:
            world._tick()
            world.clock.run(0.05)
    # The mutations reach every layer, or the test would say little.
    assert min(fates[fate] for fate in ("bad frame", "malformed", "received")) > FRAMES // 50

    bystander.write(GET)
    world.clock.run(2.0)
    [server] = [peer for (_, source), peer in world.server_side.items() if source == bystander.local]
    assert server.received == GET
    world.clock.run(300.0)
    unjoined = [connection for connection in world.splicer.connections() if isinstance(connection, Session)]
    assert unjoined == [], "a half-read connection outlived every timeout"


def test_random_bytes_as_segments(seed: int) -> None:
    """Well-formed segments with any numbers, flags and options, from clients and from servers."""
    random = Random(seed)
    world = World(seed)
    clients = [Endpoint(bytes((10, 1, 0, 2)), 43000 + index) for index in range(4)]
    for _ in range(10_000):
        client, server = random.choice(clients), random.choice(SERVERS)
        source, destination = random.choice([(client, VIP), (server, client), (client, server)])
        options = random.choice(
            [Options(), Options(timestamps=(random.getrandbits(32), random.getrandbits(32))), Options(mss=0)]
        )
        segment = Segment(
            source, destination, random.getrandbits(32), random.getrandbits(32), random.getrandbits(8),
            random.getrandbits(16), options, random.randbytes(random.choice([0, 1, 100])),
        )  # fmt: skip
        raw = frame.encode(tcp.build(segment), frame.Action.TRANSLATE)
        raw = raw[: frame.OFFLOAD_LENGTH + 1] + bytes((random.randrange(1, 9),)) + raw[frame.OFFLOAD_LENGTH + 2 :]
        assert arrive(world, raw) == "received"
        outcome = world.splicer.take_outcome()
        assert outcome.install == [] or outcome != Outcome()
        finish(world.fastpath.remove(outcome.remove))
    assert not world.splicer.connections()
