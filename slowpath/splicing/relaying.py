"""Packets that are translated here, one by one, for connections that no fast path has a record of."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fastpath import frame, rewrite
from fastpath.frame import Action, InjectFlags, Punt
from fastpath.packet import Packet
from fastpath.records import Direction, Splice
from slowpath.splicing.context import Context
from slowpath.splicing.junction import Junction
from slowpath.wire import sequence as seq
from slowpath.wire import tcp
from slowpath.wire.checksum import fold, pseudo_header_sum
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.tcp import MalformedPacket, Segment


@dataclass(frozen=True, slots=True)
class Relayed:
    """A packet that was translated: which way it went, as it arrived and as it left."""

    direction: Direction
    arrived: Packet
    left: Packet


def forward(context: Context, junction: Junction, punt: Punt, frames: list[bytes] | None = None) -> Relayed | None:
    """Do what a fast path would do with a packet of `junction`: the reference rewrite, then the next hop.

    The frame goes to those that depend on no install unless other `frames` are named. None for a packet that
    cannot be translated, which is dropped.
    """
    arrived = Packet.locate(punt.packet)
    if arrived is None:
        return None
    to_server, to_client = junction.splice.translations()
    translation = to_server if arrived.tuple4 == to_server.match else to_client
    try:
        data = rewrite.translate(arrived.data, translation)
    except MalformedPacket:
        context.statistics.drops["malformed"] += 1
        return None
    left = Packet.locate(data)
    assert left is not None, "what was an IP packet with TCP is one still"
    if punt.checksum_pending:
        left = _with_pending_checksum(left)
    flags = InjectFlags.EXPECT_REPLY if translation.direction is Direction.TO_SERVER else InjectFlags.NONE
    frames = context.outcome.frames if frames is None else frames
    frames.append(frame.replaced(punt, left.data, Action.ROUTE, flags))
    if junction.account is not None:
        junction.account.relayed(translation.direction, arrived.payload_length)
    return Relayed(translation.direction, arrived, left)


def outward(splice: Splice, segment: Segment) -> Segment:
    """A packet of the client's as the server gets it (design section 2)."""
    return _translated(segment, splice.source, splice.server, 0, -splice.delta, 0, -splice.timestamp_delta)


def inward(splice: Splice, segment: Segment) -> Segment:
    """A packet of the server's as the client gets it."""
    client, vip = splice.flow
    return _translated(segment, vip, client, splice.delta, 0, splice.timestamp_delta, 0)


def _translated(
    segment: Segment,
    source: Endpoint,
    destination: Endpoint,
    sequence: int,
    acknowledgment: int,
    tsval: int,
    tsecr: int,
) -> Segment:
    options = segment.options
    if options.timestamps is not None:
        mine, echo = options.timestamps
        options = replace(options, timestamps=(seq.add(mine, tsval), seq.add(echo, tsecr)))
    if options.sack and acknowledgment:
        sack = tuple((seq.add(left, acknowledgment), seq.add(right, acknowledgment)) for left, right in options.sack)
        options = replace(options, sack=sack)
    return replace(
        segment,
        source=source,
        destination=destination,
        sequence=seq.add(segment.sequence, sequence),
        acknowledgment=seq.add(segment.acknowledgment, acknowledgment),
        options=options,
    )


def remade(punt: Punt, segment: Segment) -> Punt:
    """`segment` as if it had been punted in the place of `punt`."""
    return Punt(punt.reason, punt.port, frame.encode(tcp.build(segment), Action.TRANSLATE, port=punt.port))


def until(segment: Segment, end: int) -> Segment:
    """What of `segment` comes before the sequence number `end`; its FIN does not."""
    length = seq.difference(end, segment.sequence)
    return replace(segment, payload=segment.payload[:length], flags=segment.flags & ~tcp.FIN)


def since(segment: Segment, start: int) -> Segment:
    """What of `segment` comes at or after the sequence number `start`."""
    skip = max(seq.difference(start, segment.sequence), 0)
    return replace(segment, sequence=seq.add(segment.sequence, skip), payload=segment.payload[skip:])


def pieces(segment: Segment, size: int) -> list[Segment]:
    """`segment` in as many as it takes for `size` bytes of payload in each; flags that end it are the last one's."""
    length = len(segment.payload)
    if length <= size:
        return [segment]
    body = replace(segment, flags=segment.flags & ~(tcp.FIN | tcp.PSH))
    parts = [
        replace(body, sequence=seq.add(segment.sequence, start), payload=segment.payload[start : start + size])
        for start in range(0, length, size)
    ]
    parts[-1].flags = segment.flags
    return parts


def _with_pending_checksum(packet: Packet) -> Packet:
    """The packet with the sum of its new pseudo-header, for the offload that has yet to complete the checksum."""
    length = packet.end - packet.start
    pseudo = fold(pseudo_header_sum(packet.source_address, packet.destination_address, tcp.PROTOCOL, length))
    field = packet.start + tcp.CHECKSUM_OFFSET
    return replace(packet, data=packet.data[:field] + pseudo.to_bytes(2, "big") + packet.data[field + 2 :])
