"""How many connections a client has open."""

from __future__ import annotations

from slowpath.limiting.clients import ClientPrefix
from slowpath.limiting.slots import Slot, Slots, Taken

ALICE, NEIGHBOUR, BOB = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 9)), bytes((198, 51, 100, 1))


def test_a_client_has_so_many_and_no_more() -> None:
    slots = Slots(2, ClientPrefix(ipv4=24), Taken())
    first, second = slots.take(ALICE), slots.take(NEIGHBOUR)
    assert first is second is not None
    assert slots.take(ALICE) is None
    assert slots.take(BOB) is not None
    second.release()
    assert slots.take(ALICE) is first


def test_a_client_without_connections_takes_no_memory() -> None:
    taken = Taken()
    slots = Slots(3, ClientPrefix(), taken)
    held = [slots.take(ALICE) for _ in range(3)]
    assert (len(taken), slots.take(ALICE)) == (1, None)
    for slot in held:
        assert isinstance(slot, Slot)
        slot.release()
    assert not taken


def test_a_new_limit_counts_the_connections_that_are_open() -> None:
    taken = Taken()
    before, after = Slots(3, ClientPrefix(), taken), Slots(2, ClientPrefix(), taken)
    held = [before.take(ALICE) for _ in range(3)]
    for slot in held[:2]:
        assert after.take(ALICE) is None
        assert slot is not None
        slot.release()
    assert after.take(ALICE) is not None
