"""Whatever part of a batch is carried out: undone, everything is as it was before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from p4rt.proto import p4runtime_pb2 as pb
from p4rt.tables import Table
from p4rt.undo import Undo
from p4rt.update import Update
from tests.unit.p4rt.running import PIPELINE

TABLE = Table(None, PIPELINE.schema.table("connections"))  # type: ignore[arg-type]
KEYS = st.tuples(st.integers(0, 3), st.just(0))
ARGUMENTS = st.tuples(st.integers(0, 9), st.just(0))
UPDATES = st.one_of(
    st.builds(lambda key, arguments: TABLE.insert(key, "forward", arguments), KEYS, ARGUMENTS),
    st.builds(TABLE.packer("forward"), KEYS, ARGUMENTS),
    st.builds(lambda key, arguments: TABLE.modify(key, "forward", arguments), KEYS, ARGUMENTS),
    st.builds(TABLE.delete, KEYS),
    st.builds(TABLE.deleter(), KEYS),
)

Contents = dict[int, int]
"""Ports by the first field of the key."""


def number(entry: pb.TableEntry) -> int:
    return int.from_bytes(entry.match[0].exact.value)


def apply(contents: Contents, update: Update) -> bool:
    """As a server does; gives whether it could."""
    entry = update.entity.table_entry
    key = number(entry)
    if (key in contents) == (update.type == pb.Update.INSERT):
        return False
    if update.type == pb.Update.DELETE:
        del contents[key]
    else:
        contents[key] = int.from_bytes(entry.action.action.params[0].value)
    return True


@given(
    st.dictionaries(st.integers(0, 3), st.integers(0, 9)),
    st.lists(UPDATES, max_size=12),
    st.sets(st.integers(0, 11)),
)
def test_undoing(before: Contents, batch: list[Update], unlucky: set[int]) -> None:
    undo, contents = Undo(batch), dict(before)
    present = {key: TABLE.insert((key, 0), "forward", (port, 0)).entity for key, port in before.items()}
    asked = [number(entity.table_entry) for entity in undo.needed]
    undo.remember(present[key] for key in asked if key in present)
    failed = [index for index, update in enumerate(batch) if index in unlucky or not apply(contents, update)]
    for update in undo.after(failed):
        assert apply(contents, update)
    assert contents == before


def test_the_last_touched_entry_is_the_first_to_be_restored() -> None:
    first, second = ((key, 0) for key in (1, 2))
    undo = Undo([TABLE.insert(first, "discard"), TABLE.insert(second, "discard"), TABLE.modify(first, "discard")])
    assert [number(update.entity.table_entry) for update in undo.after([])] == [1, 2]
