"""Files that are programs, values that fit them, and their bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st

from p4rt import KeyValue, MatchType, Pipeline, Prefix, Range, Schema, SchemaError, Ternary
from p4rt.codec import decode_action, decode_key, digest_decoder, encode_key
from p4rt.proto import p4data_pb2
from p4rt.proto import p4info_pb2 as config
from p4rt.proto import p4runtime_pb2 as pb
from p4rt.tables import Table
from tests.unit.p4rt.running import OTHER, PIPELINE

TABLES = {
    name: Table(None, PIPELINE.schema.table(name))  # type: ignore[arg-type]
    for name in ("connections", "routes", "rules")
}
INFO = text_format.MessageToString(PIPELINE.p4info)

INTEGERS = {width: st.integers(0, (1 << width) - 1) for width in (9, 16, 31, 48)}


def ranges(width: int) -> st.SearchStrategy[Range]:
    return st.tuples(INTEGERS[width], INTEGERS[width]).map(lambda both: Range(min(both), max(both)))


def test_what_the_program_says() -> None:
    connections = PIPELINE.schema.table("connections")
    assert [(field.name, field.width, field.match) for field in connections.key] == [
        ("address", 48, MatchType.EXACT),
        ("kind", 16, MatchType.EXACT),
    ]
    assert (connections.size, connections.idle_timeout, connections.counted) == (16, True, True)
    rules = PIPELINE.schema.table("rules")
    assert [(field.name, field.match) for field in rules.key][1:] == [
        ("kind", MatchType.RANGE),
        ("source", MatchType.EXACT),
        ("priority", MatchType.EXACT),
    ]
    assert (rules.idle_timeout, rules.counted) == (False, False)
    assert [(field.name, field.width) for field in PIPELINE.schema.digest("ended_t").fields] == [
        ("address", 48),
        ("flags", 16),
    ]
    assert PIPELINE.schema.counter("SwitchIngress.traffic").size == 8


# ---- programs


def test_a_program_from_files(tmp_path: Path) -> None:
    info, device_config = tmp_path / "a.p4info.txtpb", tmp_path / "a.json"
    info.write_text(f"{INFO}\nfuture_field: 1\n")
    device_config.write_bytes(PIPELINE.device_config)
    loaded = Pipeline.load(info, device_config)
    assert loaded.message == PIPELINE.message
    assert loaded.cookie == PIPELINE.cookie != OTHER.cookie


@pytest.mark.parametrize(
    ("info", "device_config", "words"),
    [
        (b"{", b"x", r"a\.p4info\.txtpb: not a P4Info in text format"),
        (b"\xff", b"x", r"a\.p4info\.txtpb: not a P4Info in text format"),
        (b"", b"", r"a\.json: the device config is empty"),
        (b'tables { preamble { name: "t" } action_refs { id: 5 } }', b"x", "t: P4Info has no action of id 5"),
        (
            b'tables { preamble { name: "t" } match_fields { name: "f" other_match_type: "odd" } }',
            b"x",
            "t: key field f matches in a way that P4Runtime does not name",
        ),
        (
            b'digests { preamble { name: "d" } type_spec { bool {} } }',
            b"x",
            r"d: its member d is no bit<W>",
        ),
    ],
)
def test_files_that_are_no_program(tmp_path: Path, info: bytes, device_config: bytes, words: str) -> None:
    paths = tmp_path / "a.p4info.txtpb", tmp_path / "a.json"
    for path, content in zip(paths, (info, device_config), strict=True):
        path.write_bytes(content)
    with pytest.raises(SchemaError, match=words):
        Pipeline.load(*paths)


def test_digests_that_are_no_struct() -> None:
    bits = "bitstring { bit { bitwidth: 9 } }"
    digests = f'digests {{ preamble {{ id: 1 name: "one" }} type_spec {{ {bits} }} }}'
    digests += f'digests {{ preamble {{ id: 2 name: "two" }} type_spec {{ tuple {{ members {{ {bits} }} }} }} }}'
    schema = Schema(text_format.Parse(digests, config.P4Info()))
    assert [[field.name for field in digest.fields] for digest in schema.digests] == [["one"], ["0"]]
    value = p4data_pb2.P4Data(bitstring=b"\1\2")
    both = (value, p4data_pb2.P4Data(tuple=p4data_pb2.P4StructLike(members=[value])))
    for digest, message in zip(schema.digests, both, strict=True):
        assert digest_decoder(digest)(message) == (0x102,)


# ---- values


@given(st.tuples(INTEGERS[48], INTEGERS[16]), st.tuples(INTEGERS[9], INTEGERS[48]))
def test_exact_keys_and_arguments(key: tuple[int, int], arguments: tuple[int, int]) -> None:
    table = TABLES["connections"]
    made, packed = table.insert(key, "forward", arguments), table.packer("forward")(key, arguments)
    for update in (made, packed):
        entry = update.entity.table_entry
        assert decode_key(table.schema, entry) == key
        action, values = decode_action(table.schema, entry.action)
        assert (action and action.name, values) == ("SwitchIngress.forward", arguments)
    assert str(made) == str(packed)
    # Canonical: the fewest bytes, at least one.
    for match in made.entity.table_entry.match:
        assert len(match.exact.value) == 1 or match.exact.value[0]
    assert str(table.delete(key)) == str(table.deleter()(key))


@given(INTEGERS[48], st.integers(0, 48))
def test_prefixes(value: int, length: int) -> None:
    table = TABLES["routes"].schema
    masked = value >> 48 - length << 48 - length
    assert decode_key(table, encode_key(table, (Prefix(value, length),))) == (Prefix(masked, length),)


@given(INTEGERS[48], INTEGERS[48], ranges(16), INTEGERS[48], INTEGERS[31])
def test_ternary_and_range(value: int, mask: int, kinds: Range, source: int, priority: int) -> None:
    table = TABLES["rules"].schema
    entry = encode_key(table, (Ternary(value, mask), kinds, source, priority))
    assert decode_key(table, entry) == (Ternary(value & mask, mask), kinds, source, priority)


def test_optional() -> None:
    info = text_format.Parse(
        'tables { preamble { id: 1 name: "t" } match_fields { id: 1 name: "f" bitwidth: 9 match_type: OPTIONAL } }',
        config.P4Info(),
    )
    table = Schema(info).table("t")
    for key in ((None, 1), (5, 1)):
        assert decode_key(table, encode_key(table, key)) == key
    assert not encode_key(table, (None, 1)).match


def test_what_matches_everything_is_left_out() -> None:
    assert not encode_key(TABLES["routes"].schema, (Prefix(5, 0),)).match
    everything = (Ternary(5, 0), Range(0, 0xFFFF), 1, 1)
    assert [match.field_id for match in encode_key(TABLES["rules"].schema, everything).match] == [3]


@pytest.mark.parametrize(
    ("table", "key", "words"),
    [
        ("connections", (1,), "key takes 2 values"),
        ("connections", (1 << 48, 1), "address has 48 bits, 0x1000000000000 does not fit"),
        ("connections", (-1, 1), "address has 48 bits"),
        ("connections", (True, 1), "address is an integer of 48 bits, not True"),
        ("connections", ("x", 1), "address matches Exact: give an integer"),
        ("routes", (5,), "address matches LPM: give a Prefix"),
        ("routes", (Prefix(5, 49),), "not a prefix of 49"),
        ("rules", (5, Range(0, 1), 1, 1), "address matches Ternary: give a Ternary"),
        ("rules", (Ternary(1, 1), Range(2, 1), 1, 1), r"the range 2\.\.1 is empty"),
        ("rules", (Ternary(1, 1), Range(0, 1), 1), "key takes 4 values"),
        ("rules", (Ternary(1, 1), Range(0, 1), 1, 1 << 31), "priority has 31 bits"),
    ],
)
def test_keys_that_do_not_fit(table: str, key: tuple[KeyValue, ...], words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        TABLES[table].delete(key)


def test_actions_and_arguments_that_do_not_fit() -> None:
    table = TABLES["connections"]
    for action, arguments, words in (
        ("forward", (1,), "action SwitchIngress.forward takes 2 values"),
        ("forward", (512, 1), "port has 9 bits"),
        ("via", (1,), "no action 'via' of table SwitchIngress.connections"),
    ):
        with pytest.raises(SchemaError, match=words):
            table.insert((1, 1), action, arguments)
    with pytest.raises(SchemaError, match="port has 9 bits"):
        table.packer("forward")((1, 1), (512, 0))
    with pytest.raises(SchemaError, match="not an exact integer"):
        TABLES["rules"].deleter()


def test_entries_in_words() -> None:
    words = {
        "rules(address=0x5&0xff, kind=1..2, source=0x000000000007, priority=3)": TABLES["rules"].delete(
            (Ternary(5, 0xFF), Range(1, 2), 7, 3)
        ),
        "routes(address=0x0a0000000000/8)": TABLES["routes"].delete((Prefix(0x0A0000000000, 8),)),
        "connections(default)": TABLES["connections"].reset_default(),
    }
    assert {str(update) for update in words.values()} == set(words)
    foreign = pb.TableEntry(table_id=1)
    foreign.match.add(field_id=9)
    delete = TABLES["connections"].delete((1, 1))
    strange = delete._replace(
        wire=pb.WriteRequest(updates=[pb.Update(entity=pb.Entity(table_entry=foreign))]).SerializeToString()
    )
    assert str(strange) == "connections(with a key that is not its own)"
