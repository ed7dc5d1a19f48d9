"""A slow path of a few lines: it lets the client and the server shake hands with each other through a splice."""

from __future__ import annotations

from fastpath.ebpf import EbpfFastPath
from fastpath.frame import Action, InjectFlags, Punt, encode
from fastpath.interface import Batch
from fastpath.records import Flow, Listener, Reason, Server, Splice
from fastpath.rewrite import translate
from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint

VIP = Endpoint.parse("10.1.0.100:80")
SERVER = Endpoint.parse("10.2.0.2:8080")
SERVER_ID = 3
SNAT = Endpoint.parse("10.2.0.77:61000")


class SlowPath:
    """Rewrites the SYN and the SYN-ACK itself, as a splice with any two deltas would; the rest is the fast path's.

    With `pivot`, all client payload and a server's FIN are punted and injected again.
    """

    def __init__(self, fastpath: EbpfFastPath, *, snat: bool = False, pivot: bool = False) -> None:
        self._fastpath, self._snat, self._pivot = fastpath, snat, pivot
        self.splices: dict[Flow, Splice] = {}
        self.punts: list[Punt] = []

    async def configure(self) -> None:
        await self._fastpath.configure([Listener(VIP)], [Server(SERVER_ID, SERVER)], [])

    async def handle(self, batch: Batch) -> None:
        for punt in batch.punts:
            self.punts.append(punt)
            if punt.reason in (Reason.PIVOT, Reason.FIN):
                self._fastpath.inject([punt.reinjected(Action.TRANSLATE)])
            else:
                await self._handshake(tcp.parse(punt.packet, checksum_known=True))

    async def _handshake(self, segment: tcp.Segment) -> None:
        assert segment.flags & tcp.SYN, segment
        # Built anew, for an offload may have left the checksum to be completed.
        packet = tcp.build(segment)
        if not segment.flags & tcp.ACK:
            splice = self._splice(segment)
            self.splices[splice.flow] = splice
            await self._fastpath.install([splice])
            packet = translate(packet, splice.translations()[0])
            self._fastpath.inject([encode(packet, Action.ROUTE, flags=InjectFlags.EXPECT_REPLY)])
            return
        reply = next(
            to_client
            for _, to_client in map(Splice.translations, self.splices.values())
            if to_client.match == (segment.source, segment.destination)
        )
        self._fastpath.inject([encode(translate(packet, reply), Action.ROUTE)])

    def _splice(self, syn: tcp.Segment) -> Splice:
        return Splice(
            Flow(syn.source, syn.destination),
            SERVER,
            SERVER_ID,
            SNAT if self._snat else syn.source,
            delta=0xDEAD_BEEF,
            timestamp_delta=0x7FFF_1234,
            pivot=syn.sequence + 1 & 0xFFFF_FFFF if self._pivot else None,
        )
