"""A junction with nothing going on, as bytes: a tenth of what its objects need.

Beside its record it has the key of its client's packets (`slowpath.wire.four_tuple`), which is not in there; what many
junctions share is in there by number (`interning`). Numbers are of the machine's byte order, as they never leave it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import cast

from fastpath.records import Flow, Splice
from slowpath.balancing.member import Member
from slowpath.limiting.slots import Slot
from slowpath.splicing.accounting import Account
from slowpath.splicing.interning import Numbers
from slowpath.splicing.junction import Junction
from slowpath.splicing.phases import Phase
from slowpath.splicing.service import Pool, Service
from slowpath.splicing.terms import Terms
from slowpath.wire import four_tuple
from slowpath.wire.endpoint import Endpoint

_RECORD = struct.Struct("=dIIIdIIIIHIIIIIIB")
"""The fields in the order of `pack`; a source of its own (SNAT) follows: its address, and its port in two bytes."""

GLANCE = struct.Struct("=dII")
"""What a search needs of a record: since when the connection is open, the numbers of its pool and its member."""

_PIVOT, _FOLLOWS, _STARTED = 1, 2, 4
"""Flags: there is a pivot; the splice follows precedents; it is known where the server has started."""


class Packer:
    """Packs junctions, and unpacks each record once: what it refers to is kept until then."""

    def __init__(self) -> None:
        self._shared = Numbers()

    def pack(self, junction: Junction) -> bytes:
        """The record of a junction that is spliced, with a member, and with nothing going on."""
        splice, take = junction.splice, self._shared.take
        pivot, server_start = splice.pivot, junction.server_start
        record = _RECORD.pack(
            junction.started,
            take(junction.pool),
            take(junction.member),
            take(junction.account),
            junction.connect_started,
            take(junction.service),
            take(junction.terms),
            take(junction.asked or None),
            take(junction.slot),
            splice.server_id,
            splice.delta,
            splice.timestamp_delta,
            0 if pivot is None else pivot,
            junction.request_start,
            junction.response_start,
            server_start or 0,
            (pivot is not None and _PIVOT)
            | (splice.follows_precedents and _FOLLOWS)
            | (server_start is not None and _STARTED),
        )
        source = splice.source
        return record if source == splice.flow.client else record + source.address + source.port.to_bytes(2, "big")

    def unpack(self, key: bytes, record: bytes) -> Junction:
        """The junction of `record` again, whose client's packets have `key`; the record is of no use any more."""
        return _junction(key, record, self._shared.give_back)

    def look(self, key: bytes, record: bytes) -> Junction:
        """What the junction of `record` is; the record goes on to stand for it."""
        return _junction(key, record, self._shared.look_up)

    @property
    def shared(self) -> int:
        """How many objects the records refer to."""
        return len(self._shared)

    def place(self, pool: int, member: int) -> tuple[Pool, Member]:
        """The pool and the server with these numbers, which some record has."""
        return cast(Pool, self._shared.look_up(pool)), cast(Member, self._shared.look_up(member))


def _junction(key: bytes, record: bytes, resolve: Callable[[int], object]) -> Junction:
    (
        started,
        pool,
        member,
        account,
        connect_started,
        service,
        terms,
        asked,
        slot,
        server_id,
        delta,
        timestamp_delta,
        pivot,
        request_start,
        response_start,
        server_start,
        flags,
    ) = _RECORD.unpack_from(record)
    client, vip = four_tuple.unpack(key)
    source = client
    if len(record) > _RECORD.size:
        source = Endpoint(record[_RECORD.size : -2], int.from_bytes(record[-2:], "big"))
    server = cast(Member, resolve(member))
    return Junction(
        splice=Splice(
            Flow(client, vip),
            server.endpoint,
            server_id,
            source,
            delta,
            timestamp_delta,
            pivot if flags & _PIVOT else None,
            bool(flags & _FOLLOWS),
        ),
        service=cast(Service, resolve(service)),
        pool=cast(Pool, resolve(pool)),
        member=server,
        started=started,
        key=key,
        phase=Phase.SPLICED,
        connect_started=connect_started,
        slot=cast("Slot | None", resolve(slot)),
        account=cast("Account | None", resolve(account)),
        server_start=server_start if flags & _STARTED else None,
        terms=cast(Terms, resolve(terms)),
        request_start=request_start,
        response_start=response_start,
        asked=cast("tuple[str, ...]", resolve(asked) or ()),
    )
