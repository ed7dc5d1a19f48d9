"""The p4info of a program, and whether another one is as good."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from p4model.p4runtime.difference import differences
from p4model.p4runtime.p4info import aliases, p4info
from p4model.program import compile_text
from p4rt.proto import p4info_pb2 as config
from tests.unit.p4model.p4runtime.rig import INFO, KEYLESS, LINES, ROUTES, RULES

COMPILED = {
    "rules": (33557080, "Pipeline.inner.rules"),
    "decisions": (43139925, "Pipeline.inner.decisions"),
    "lines": (45267006, "Pipeline.lines"),
    "routes": (40514364, "Pipeline.routes"),
    "keyless": (45332504, "Pipeline.keyless"),
    "NoAction": (21257015, "NoAction"),
    "inner.mark": (23324363, "Pipeline.inner.mark"),
    "decisions.mark": (17018375, "Pipeline.inner.decisions.mark"),
    "to": (28030827, "Pipeline.to"),
    "discard": (19331915, "Pipeline.discard"),
    "rewrite": (31167226, "Pipeline.rewrite"),
    "traffic": (317235335, "Pipeline.traffic"),
    "outcomes": (306877381, "Pipeline.outcomes"),
    "hits": (325606155, "Pipeline.hits"),
    "learned_t": (400350661, "learned_t"),
}
"""Id and name by alias, as p4c tells them of objects.p4."""


def _table(alias: str) -> config.Table:
    (table,) = (table for table in INFO.tables if table.preamble.alias == alias)
    return table


def test_names_and_ids_are_those_of_the_compiler() -> None:
    kinds = (INFO.tables, INFO.actions, INFO.counters, INFO.direct_counters, INFO.digests)
    assert {one.preamble.alias: (one.preamble.id, one.preamble.name) for kind in kinds for one in kind} == COMPILED


def test_a_table_with_all_that_v1model_has() -> None:
    table = _table(LINES)
    (counter,) = INFO.direct_counters
    assert (counter.spec.unit, counter.direct_table_id) == (config.CounterSpec.BOTH, table.preamble.id)
    assert table.direct_resource_ids == [counter.preamble.id]
    assert table.idle_timeout_behavior == config.Table.NOTIFY_CONTROL
    assert (table.size, table.const_default_action_id, table.is_const_table) == (3, 0, False)
    assert table.initial_default_action.action_id == table.action_refs[1].id


def test_keys_and_scopes() -> None:
    fields = [(field.id, field.name, field.bitwidth, field.match_type) for field in _table(RULES).match_fields]
    assert fields == [
        (1, "destination", 48, config.MatchField.TERNARY),
        (2, "type", 16, config.MatchField.RANGE),
        (3, "port", 9, config.MatchField.EXACT),
    ]
    assert _table(RULES).const_default_action_id == _table(RULES).action_refs[1].id
    assert [one.scope for one in _table(RULES).action_refs] == [
        config.ActionRef.TABLE_AND_DEFAULT,
        config.ActionRef.DEFAULT_ONLY,
    ]
    assert _table(ROUTES).match_fields[0].match_type == config.MatchField.LPM
    assert _table(ROUTES).action_refs[0].scope == config.ActionRef.TABLE_ONLY
    assert not _table(KEYLESS).match_fields


def test_constant_entries_and_default_arguments() -> None:
    table = _table("decisions")
    assert (table.is_const_table, table.has_initial_entries) == (True, True)
    (argument,) = table.initial_default_action.arguments
    assert (argument.param_id, argument.value) == (1, (7).to_bytes(6))


def test_the_struct_of_a_digest() -> None:
    (digest,) = INFO.digests
    assert digest.type_spec.struct.name == "learned_t"
    members = INFO.type_info.structs["learned_t"].members
    assert [(one.name, one.type_spec.bitstring.bit.bitwidth) for one in members] == [("source", 48), ("port", 9)]


def test_registers() -> None:
    text = """
        #include <core.p4>
        #include <v1model.p4>
        struct none_t {}
        parser P(packet_in pkt, out none_t hdr, inout none_t meta, inout standard_metadata_t std) {
            state start { transition accept; }
        }
        control C(inout none_t hdr, inout none_t meta) { apply {} }
        control I(inout none_t hdr, inout none_t meta, inout standard_metadata_t std) {
            register<bit<12>>(5) seen;
            apply { seen.write(0, 1); }
        }
        control E(inout none_t hdr, inout none_t meta, inout standard_metadata_t std) { apply {} }
        control D(packet_out pkt, in none_t hdr) { apply {} }
        V1Switch(P(), C(), I(), E(), C(), D()) main;
    """
    (register,) = p4info(compile_text(text).info).registers
    assert (register.preamble.name, register.preamble.id >> 24, register.size) == ("I.seen", 0x16, 5)
    assert register.type_spec.bitstring.bit.bitwidth == 12


def test_aliases_are_the_shortest_that_are_unique() -> None:
    assert aliases(["a.b.c", "a.d.c", "x", "y.x", "a.e", "a.e"]) == {
        "a.b.c": "b.c",
        "a.d.c": "d.c",
        "x": "x",
        "y.x": "y.x",
        "a.e": "e",
    }


def _changed(change: Callable[[config.P4Info], object]) -> config.P4Info:
    info = config.P4Info()
    info.CopyFrom(INFO)
    change(info)
    return info


def _annotate(info: config.P4Info) -> None:
    """What the compiler writes as well."""
    info.pkg_info.name = "objects"
    info.tables[0].preamble.doc.brief = "A table."
    info.tables[0].match_fields[0].annotations.append('@name("x")')
    info.tables[0].action_refs[0].annotations.append("@defaultonly")
    info.actions[0].preamble.alias = "another"
    info.actions.add().preamble.name = "called.directly"
    info.type_info.structs["unused_t"].SetInParent()
    tables = list(reversed(info.tables))
    del info.tables[:]
    info.tables.extend(tables)


def test_what_makes_no_difference() -> None:
    assert list(differences(INFO, INFO)) == []
    assert list(differences(_changed(_annotate), INFO)) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda info: info.tables[0].match_fields[0].ClearField("bitwidth"),
            "table {0}: match_fields[0]: bitwidth is 0, but",
        ),
        (lambda info: info.tables[0].match_fields.add(), "table {0}: match_fields: there are 2, but 1 in the program"),
        (lambda info: info.tables.pop(), "table {-1}: is missing"),
        (lambda info: info.digests.pop(), "digest learned_t: is missing"),
        (lambda info: setattr(info.counters.add().preamble, "name", "a.b"), "counter a.b: the program has none"),
        (lambda info: info.type_info.structs.pop("learned_t"), "struct learned_t: is missing"),
        (
            lambda info: info.type_info.structs["learned_t"].members.pop(),
            "struct learned_t: members: there are 1, but 2 in the program",
        ),
    ],
)
def test_differences_are_told(change: Callable[[config.P4Info], object], told: str) -> None:
    (found, *_) = differences(_changed(change), INFO)
    names = {"{0}": INFO.tables[0].preamble.name, "{-1}": INFO.tables[-1].preamble.name}
    for placeholder, name in names.items():
        told = told.replace(placeholder, name)
    assert found.startswith(told)
