"""Maglev hashing: one look-up in a table says where a connection goes.

Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer" (NSDI 2016), section 3.4. The
table depends on the servers' addresses and weights alone, so that balancers agree and a restart changes
nothing; a server added or removed changes little more than its own share of it.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from functools import cached_property
from heapq import heapreplace

from slowpath.balancing.hashing import hash64, packed
from slowpath.balancing.member import Member, candidates
from slowpath.wire.endpoint import Endpoint

TABLE_SIZE = 65537
"""A prime; a hundred times the servers of a large pool, so that shares are within a few percent of the weights."""

_FREE = -1


class Maglev:
    """The member for the client's address and port.

    A member that is not available is passed over for that of the next slot, so that only its own
    clients move, and come back with it. The table is built at the first pick.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        # In an order of their own, as the pools of two configurations may be written in different ones.
        self._members = sorted((member for member in members if member.weight > 0), key=lambda member: member.endpoint)

    def pick(self, client: Endpoint, tried: Collection[int] = ()) -> Member | None:
        """See Balancer."""
        left = candidates(self._members, tried)
        if not left:
            return None
        slot = hash64(packed(client)) % TABLE_SIZE
        while (member := self._members[self._table[slot]]) not in left:
            slot = (slot + 1) % TABLE_SIZE
        return member

    @cached_property
    def _table(self) -> array[int]:
        return build(self._members)


def build(members: Sequence[Member], size: int = TABLE_SIZE) -> array[int]:
    """For each slot the index of a member; each of the `members`, at least one, has a slot or more.

    Their weights are above 0; `size` is a prime and not less than their number.
    """
    table = array("i", [_FREE]) * size
    cursors = [hash64(b"offset", key=packed(member.endpoint)) % size for member in members]
    skips = [hash64(b"skip", key=packed(member.endpoint)) % (size - 1) + 1 for member in members]
    claimed = [0] * len(members)
    # The next claim of a member is due after claims / weight: for equal weights that is the paper's
    # turn by turn. The list is sorted, hence a heap.
    turns = [(0.0, index) for index in range(len(members))]
    for _ in range(size):
        index = turns[0][1]
        slot, skip = cursors[index], skips[index]
        while table[slot] != _FREE:
            slot = (slot + skip) % size
        table[slot] = index
        cursors[index] = slot
        claimed[index] += 1
        heapreplace(turns, (claimed[index] / members[index].weight, index))
    return table
