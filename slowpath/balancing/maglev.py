"""Maglev hashing: one look-up in a table says where a connection goes.

Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer" (NSDI 2016), section 3.4. The
table depends on the servers' addresses and weights alone, so that balancers agree and a restart changes
nothing; a server added or removed changes little more than its own share of it.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import cached_property
from heapq import heapreplace

from slowpath.balancing.hashed import Hashed
from slowpath.balancing.hashing import hash64, packed
from slowpath.balancing.keys import Key
from slowpath.balancing.member import Member

TABLE_SIZE = 65537
"""A prime; a hundred times the servers of a large pool, so that shares are within a few percent of the weights."""

_FREE = -1
_GOLDEN = 0x9E3779B1
"""2^32 divided by the golden ratio: multiples of it are spread evenly (Knuth, volume 3, section 6.4)."""


class Maglev(Hashed):
    """The owner of the key's slot in the table, which is built at the first pick.

    A member that is not available is passed over for that of the next slot, so that only its own
    keys move, and come back with it. One that starts slowly is passed over in a part of its slots.
    """

    def __init__(self, members: Sequence[Member], key: Key) -> None:
        # In an order of their own, as the pools of two configurations may be written in different ones.
        super().__init__(sorted((member for member in members if member.weight > 0), key=lambda m: m.endpoint), key)

    def _place(self, key: bytes, left: Sequence[Member]) -> Member:
        slot = hash64(key) % TABLE_SIZE
        while True:
            member = self._members[self._table[slot]]
            if member in left and (member.ramp == 1.0 or _has_taken(slot, member, left)):
                return member
            slot = (slot + 1) % TABLE_SIZE

    @cached_property
    def _table(self) -> array[int]:
        return build(self._members)


def _has_taken(slot: int, member: Member, left: Sequence[Member]) -> bool:
    """Whether a member that starts slowly has this slot of its own by now; none are left to chance if all do."""
    fraction = slot * _GOLDEN % 2**32 / 2**32
    return fraction * max(each.ramp for each in left) < member.ramp


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
