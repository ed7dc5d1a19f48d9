"""Names, widths and kinds of match, checked before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from bfrt import Kind, MatchType, Prefix, ProtocolError, Range, Schema, SchemaError, Ternary, Update
from bfrt.tables import Table
from tests.unit.bfrt import documents

SCHEMA = Schema.parse(documents.PROGRAM_DOCUMENT, documents.FIXED_DOCUMENT)


class NoClient:
    """Fails a test that sends something."""


def table(name: str) -> Table:
    return Table(NoClient(), SCHEMA.table(name))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["vips", "classify.vips", "Ingress.classify.vips", "pipe.Ingress.classify.vips"])
def test_a_table_goes_by_every_dotted_suffix(name: str) -> None:
    assert SCHEMA.table(name).name == "pipe.Ingress.classify.vips"


def test_actions_and_fields_go_by_suffixes_too() -> None:
    assert table("vips").insert((1, 2), "listener", (3,)) == table("vips").insert(
        (1, 2), "Ingress.classify.listener", (3,)
    )


def test_fixed_tables_are_there_beside_the_programs() -> None:
    port = SCHEMA.table("$PORT")
    assert (port.id, [field.name for field in port.key]) == (0xFF010001, ["$DEV_PORT"])


def test_what_the_schema_says() -> None:
    connections, filter_ = SCHEMA.table("connections"), SCHEMA.table("Ingress.policy.filter")
    assert (connections.size, connections.key[0].width, connections.short_name) == (1024, 32, "connections")
    assert [field.width for field in connections.actions.find("spliced").fields] == [32, 1, 15]
    assert [field.match for field in filter_.key] == [
        MatchType.TERNARY,
        MatchType.RANGE,
        MatchType.OPTIONAL,
        MatchType.EXACT,
    ]
    assert SCHEMA.table("tbl_dbg_counter").data.find("nested").kind is Kind.UNSUPPORTED
    assert [field.name for field in SCHEMA.filter("ended").fields] == ["source_address", "source_port", "flags"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("vip", ["table 'vip'", "did you mean", "vips"]),
        ("filter", ["ambiguous", "pipe.Egress.policy.filter", "pipe.Ingress.policy.filter"]),
        ("xyz", ["there are:", "pipe.Ingress.connections"]),
    ],
)
def test_a_wrong_table_name_names_the_alternatives(name: str, words: list[str]) -> None:
    with pytest.raises(SchemaError) as caught:
        SCHEMA.table(name)
    assert all(word in str(caught.value) for word in words), caught.value


def test_a_full_name_wins_over_suffixes() -> None:
    more = documents.table(7, "vips")
    document = json.dumps({"tables": [*documents.TABLES, more]}).encode()
    assert Schema.parse(document).table("vips").id == 7


WRONG: dict[str, tuple[Callable[[], Update], str]] = {
    "value too wide": (lambda: table("connections").insert((1 << 32,), "spliced", (0, 0, 0)), "digest has 32 bits"),
    "negative": (lambda: table("connections").insert((-1,), "spliced", (0, 0, 0)), "digest has 32 bits"),
    "bit above a width that is not whole bytes": (
        lambda: table("connections").insert((1,), "spliced", (0, 0, 1 << 15)),
        "path has 15 bits",
    ),
    "not an integer": (lambda: table("connections").delete(("1",)), "digest matches Exact: give an integer"),
    "a bool": (lambda: table("connections").insert((1,), "spliced", (0, True, 0)), "pivot is an integer"),
    "missing argument": (
        lambda: table("connections").insert((1,), "spliced", (0, 0)),
        "Ingress.spliced takes 3 values (delta, pivot, path), not 2",
    ),
    "missing key field": (lambda: table("vips").delete((1,)), "key takes 2 values (address, port), not 1"),
    "unknown action": (lambda: table("vips").insert((1, 2), "lisener", (1,)), "did you mean"),
    "arguments without action": (lambda: table("vips").insert((1, 2), None, (1,)), "without an action"),
    "prefix for an exact field": (lambda: table("vips").delete((Prefix(1, 2), 3)), "matches Exact"),
    "integer for a prefix": (lambda: table("routes").delete((1,)), "matches LPM: give a Prefix"),
    "prefix too long": (lambda: table("routes").delete((Prefix(0, 33),)), "32 bits, not a prefix of 33"),
    "integer for a ternary": (
        lambda: table("Ingress.policy.filter").delete((1, Range(0, 1), None, 1)),
        "matches Ternary: give a Ternary",
    ),
    "empty range": (
        lambda: table("Ingress.policy.filter").delete((Ternary(1, 1), Range(2, 1), None, 1)),
        "2..1 is empty",
    ),
    "prefix for an optional": (
        lambda: table("Ingress.policy.filter").delete((Ternary(1, 1), Range(1, 2), Prefix(1, 1), 1)),
        "matches Optional",
    ),
    "unknown field": (
        lambda: table("aged").insert((1,), "NoAction", (), {"$ENTRY_TLL": 1}),
        "did you mean $ENTRY_TTL",
    ),
    "not a choice": (lambda: table("$PORT").insert((1,), fields={"$SPEED": "1T"}), "BF_SPEED_10G, BF_SPEED_25G"),
    "not a string": (lambda: table("$PORT").insert((1,), fields={"$SPEED": 10}), "$SPEED is a string"),
    "not a bool": (lambda: table("$PORT").insert((1,), fields={"$PORT_ENABLE": 1}), "$PORT_ENABLE is a bool"),
    "not a list": (lambda: table("$PORT").insert((1,), fields={"lanes": 1}), "lanes is a list"),
    "unsupported": (lambda: table("tbl_dbg_counter").insert((), fields={"nested": 1}), "unsupported type"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_values_are_refused_in_words(name: str) -> None:
    make, words = WRONG[name]
    with pytest.raises(SchemaError, match=r"^(pipe\.|\$PORT|no )") as caught:
        make()
    assert words in str(caught.value)


DESCRIPTIONS: dict[str, tuple[Update, str]] = {
    "exact": (table("connections").delete((0x12AB34CD,)), "connections(digest=0x12ab34cd)"),
    "narrow": (table("vips").delete((0xC0000201, 80)), "vips(address=0xc0000201, port=80)"),
    "prefix": (table("routes").delete((Prefix(0x0A000000, 8),)), "routes(address=0x0a000000/8)"),
    "others": (
        table("Ingress.policy.filter").delete((Ternary(1, 255), Range(80, 90), None, 5)),
        "filter(hdr.ipv4.src_addr=0x1&0xff, hdr.tcp.dst_port=80..90, meta.kind=any, $MATCH_PRIORITY=0x00000005)",
    ),
    "default": (table("routes").set_default("via", (1,)), "routes(default)"),
}


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_an_update_describes_itself(name: str) -> None:
    update, words = DESCRIPTIONS[name]
    assert str(update) == words


@pytest.mark.parametrize("document", [b"", b"{", b"[]", b'{"tables": [{}]}', b'{"tables": [{"name": "x"}]}'])
def test_a_document_that_is_none_is_an_error(document: bytes) -> None:
    with pytest.raises(ProtocolError, match=r"bf-rt\.json"):
        Schema.parse(document)
