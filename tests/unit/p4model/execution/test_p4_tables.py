from __future__ import annotations

import pytest

from p4model.language.errors import P4Error
from p4model.objects import Action, ActionScope, Counts, Entry, Field, Key, Match, MatchKind, TableInfo
from p4model.state import DeviceState
from tests.unit.p4model.execution.tna_programs import PORT, data, run, sent, started, tna

_SET = "action set(bit<16> c, bit<32> d) { hdr.data.c = c; hdr.data.d = d; }"
_EXACT = 'table t { key = { hdr.data.a : exact; hdr.data.b : exact @name("second"); } actions = { set; } size = 4; %s }'


def test_entries_of_the_control_plane_decide() -> None:
    pipeline, state = started(tna(locals=_SET + _EXACT % "default_action = set(7, 8);", body="t.apply();"))
    state.table("Ingress.t").insert((1, 2), 0, (0x1234, 0x56789ABC))
    assert pipeline.process(0, data(1, 2)).outputs == [(PORT, data(1, 2, 0x1234, 0x56789ABC))]
    assert pipeline.process(0, data(2, 1)).outputs == [(PORT, data(2, 1, 7, 8))]


def test_what_the_control_plane_sees_of_a_table() -> None:
    local = f"""
        {_SET} action other() {{ }} DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) hits;
        action counted(bit<8> only) {{ hits.count(); hdr.data.b = only; }}
        @name("renamed") table t {{
            key = {{ hdr.data.a : ternary; hdr.data.c[15:4] : range; meta.truth : exact; hdr.more.isValid() : exact; }}
            actions = {{ counted; @defaultonly NoAction; }} counters = hits; idle_timeout = true; size = 17;
        }}
        table u {{ key = {{ hdr.data.d : lpm; }} actions = {{ @tableonly set; other; }} const default_action = other();
                   const entries = {{ 0x0A000000 &&& 0xFF000000 : set(1, 2); _ : other(); }} }}
        Inner() inner;
    """
    controls = """
        action shared(bit<9> port) { }
        control Inner() { table v { actions = { shared; } default_action = shared(1); } apply { v.apply(); } }
    """
    program = tna(controls=controls, locals=local, body="inner.apply();")
    both, only_default = ActionScope.TABLE_AND_DEFAULT, ActionScope.DEFAULT_ONLY
    assert program.info.tables == (
        TableInfo(
            "Ingress.renamed",
            (
                Key("hdr.data.a", MatchKind.TERNARY, 8),
                Key("hdr.data.c[15:4]", MatchKind.RANGE, 12),
                Key("meta.truth", MatchKind.EXACT, 1),
                Key("hdr.more.$valid", MatchKind.EXACT, 1),
            ),
            (Action("Ingress.counted", (Field("only", 8),), both), Action("NoAction", (), only_default)),
            17,
            Entry((), 1),
            direct_counter=Counts.PACKETS_AND_BYTES,
            idle_timeout=True,
            direct_counter_name="Ingress.hits",
        ),
        TableInfo(
            "Ingress.u",
            (Key("hdr.data.d", MatchKind.LPM, 32),),
            (
                Action("Ingress.set", (Field("c", 16), Field("d", 32)), ActionScope.TABLE_ONLY),
                Action("Ingress.other", (), both),
            ),
            2,
            Entry((), 1),
            const_default=True,
            const_entries=(
                Entry((Match(0x0A000000, mask=0xFF000000),), 0, (1, 2), priority=0),
                Entry((Match(0, mask=0),), 1, (), priority=1),
            ),
        ),
        TableInfo("Ingress.inner.v", (), (Action("shared", (Field("port", 9),), both),), 512, Entry((), 0, (1,))),
    )


@pytest.mark.parametrize(
    ("entries", "a", "b", "c"),
    [
        ("(1, _) : set(1, 0); (_, 2..4) : set(2, 0);", 1, 3, 1),
        ("(1, _) : set(1, 0); (_, 2..4) : set(2, 0);", 0, 4, 2),
        ("(1, _) : set(1, 0); (_, 2..4) : set(2, 0);", 0, 5, 9),
        ("(0x10 &&& 0xF0, _) : set(3, 0);", 0x1F, 0, 3),
    ],
)
def test_const_entries_match_in_order(entries: str, a: int, b: int, c: int) -> None:
    table = f"""
        table t {{ key = {{ hdr.data.a : ternary; hdr.data.b : range; }} actions = {{ set; }}
                   const entries = {{ {entries} }} const default_action = set(9, 0); }}
    """
    assert sent(data(a, b), locals=_SET + table, body="t.apply();") == data(a, b, c, 0)


@pytest.mark.parametrize(
    ("body", "hit", "miss"),
    [
        ("if (t.apply().hit) { hdr.data.a = 1; } else { hdr.data.a = 2; }", 1, 2),
        ("if (!t.apply().miss) { hdr.data.a = 1; }", 1, 0xF0),
        ("switch (t.apply().action_run) { set: { hdr.data.a = 1; } default: { hdr.data.a = 2; } }", 1, 2),
        ("switch (t.apply().action_run) { NoAction: set: { hdr.data.a = 1; } }", 1, 1),
    ],
)
def test_the_result_of_a_table(body: str, hit: int, miss: int) -> None:
    table = "table t { key = { hdr.data.b : exact; } actions = { set; NoAction; } const entries = { 7 : set(1, 2); } }"
    assert sent(data(0xF0, 7), locals=_SET + table, body=body)[0] == hit
    assert sent(data(0xF0, 8), locals=_SET + table, body=body)[0] == miss


def test_arguments_with_a_direction_are_bound_in_the_table() -> None:
    local = """
        action add(inout bit<8> to, in bit<8> more, bit<8> value) { to = to + more + value; }
        table t { actions = { add(hdr.data.a, hdr.data.b); } default_action = add(hdr.data.a, hdr.data.b, 5); }
    """
    assert sent(data(1, 2), locals=local, body="t.apply();") == data(8, 2)


def test_a_direct_counter_counts_the_frames_that_hit() -> None:
    local = """
        DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) hits;
        action pass() { hits.count(); }
        table t { key = { hdr.data.a : exact; } actions = { pass; @defaultonly NoAction; } counters = hits; }
    """
    pipeline, state = started(tna(locals=local, body="t.apply();"))
    state.table("Ingress.t").insert((1,), 0, ())
    for a in (1, 2, 1):
        pipeline.process(0, data(a))
    record = state.table("Ingress.t").get((1,))
    assert (record.packets, record.octets) == (2, 16)


def test_one_control_can_have_two_instances() -> None:
    controls = """
        control Inner(inout headers_t hdr, in bit<8> key) {
            action set(bit<8> b) { hdr.data.b = hdr.data.b + b; }
            table t { key = { key : exact; } actions = { set; @defaultonly NoAction; } }
            apply { t.apply(); }
        }
    """
    program = tna(controls=controls, locals="Inner() x; Inner() y;", body="x.apply(hdr, 1); y.apply(hdr, 1);")
    pipeline, state = started(program)
    state.table("Ingress.x.t").insert((1,), 0, (3,))
    state.table("Ingress.y.t").insert((1,), 0, (4,))
    assert pipeline.process(0, data()).outputs == [(PORT, data(0, 7))]


@pytest.mark.parametrize(
    ("local", "body", "message"),
    [
        ("table t { actions = { NoAction; } }", "t.apply(); t.apply();", "table Ingress.t is applied twice"),
        (
            "DirectCounter<bit<64>>(CounterType_t.BYTES) c; action a() { } table t { actions = { a; } counters = c; }",
            "",
            r"a must call c.count\(\): t counts every hit",
        ),
        ("action a(bit<8> x, in bit<8> y) { } table t { actions = { a(1); } }", "", "with a direction must come first"),
        ("action a(pair_t x) { } table t { actions = { a; } }", "", "x is a pair_t, no scalar"),
    ],
)
def test_what_is_refused(local: str, body: str, message: str) -> None:
    with pytest.raises(P4Error, match=message):
        tna(locals=local, body=body)


def test_two_pipelines_of_a_program_have_their_own_state() -> None:
    program = tna(locals=_SET + _EXACT % "default_action = set(7, 8);", body="t.apply();")
    first, second = DeviceState(program.info), DeviceState(program.info)
    first.table("Ingress.t").insert((1, 2), 0, (1, 1))
    assert program.pipeline(first).process(0, data(1, 2)).outputs == [(PORT, data(1, 2, 1, 1))]
    assert program.pipeline(second).process(0, data(1, 2)).outputs == [(PORT, data(1, 2, 7, 8))]
    assert run(data(1)).digests == []
