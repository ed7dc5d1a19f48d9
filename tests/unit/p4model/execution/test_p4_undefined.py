"""Reads of what has no value are reported where they stand, and go on with 0."""

from __future__ import annotations

import pytest

from tests.unit.p4model.execution.tna_programs import data, line_of, run, started, tna

_NO_VALUE = "which has no value yet"
_NOT_VALID = "whose header is not valid"


@pytest.mark.parametrize(
    ("body", "column", "what"),
    [
        ("hdr.data.c = meta.m + 1;", 9, f"meta.m, {_NO_VALUE}"),
        ("hdr.data.c = 1 + meta.m;", 9, f"meta.m, {_NO_VALUE}"),
        ("if (meta.m == 5) { hdr.data.c = 1; }", 9, f"meta.m, {_NO_VALUE}"),
        ("if (hdr.data.c == meta.m) { }", 9, f"meta.m, {_NO_VALUE}"),
        ("if (meta.truth) { }", 9, f"meta.truth, {_NO_VALUE}"),
        ("if (!meta.truth && hdr.data.a == 1) { }", 9, f"meta.truth, {_NO_VALUE}"),
        ("hdr.data.c = hdr.more.c ^ 1;", 9, f"hdr.more.c, {_NOT_VALID}"),
        ("hdr.more.setValid(); hdr.data.c = hdr.more.c ^ 1; hdr.more.setInvalid();", 30, f"hdr.more.c, {_NO_VALUE}"),
        ("bit<16> x; hdr.data.c = x[15:8] ++ 8w0;", 20, f"x, {_NO_VALUE}"),
        ("bit<16> x; out_16(x); hdr.data.c = ~x;", 31, f"y, {_NO_VALUE}"),
        ("bit<16> y = meta.m; hdr.data.c = y - 1;", 29, f"meta.m, {_NO_VALUE}"),
        ("t.apply();", 9, f"meta.m, {_NO_VALUE}"),
        ("switch (meta.m) { 1: { } }", 9, f"meta.m, {_NO_VALUE}"),
    ],
)
def test_a_read_is_reported_once_with_its_place(body: str, column: int, what: str) -> None:
    local = "action out_16(out bit<16> y) { } table t { key = { meta.m : exact; } actions = { NoAction; } }"
    result = run(data(1, 2, 3, 4), locals=local, body=body)
    line = line_of(body, locals=local, body=body)
    assert result.findings == [f"t.p4:{line}:{column}: read of {what}"]
    assert len(result.outputs) == 1


def test_what_is_written_to_the_wire_is_read() -> None:
    result = run(data(), body="hdr.more.setValid(); hdr.more.a = 1;")
    found = [finding.partition(": ")[2] for finding in result.findings]
    assert found == [f"read of hdr.more.{field}, {_NO_VALUE}" for field in "bcd"]
    ((_, left),) = result.outputs
    assert left == data() + data(1)


def test_a_field_is_undefined_again_when_its_header_was_invalid() -> None:
    body = "hdr.data.setInvalid(); hdr.data.setValid(); hdr.data = {1, 2, hdr.data.c + 1, 4};"
    result = run(data(9, 9, 9, 9), body=body)
    assert [finding.partition(": ")[2] for finding in result.findings] == [f"read of hdr.data.c, {_NO_VALUE}"]
    ((_, left),) = result.outputs
    assert left == data(1, 2, 1, 4)


def test_copies_are_no_reads() -> None:
    body = "bit<16> x = meta.m; meta.wide = hdr.more.d; hdr.more = hdr.more; meta.pair.x = x;"
    assert run(data(), body=body).findings == []


def test_each_packet_has_its_own_findings() -> None:
    pipeline, _ = started(tna(body="if (hdr.data.a == 1) { hdr.data.c = meta.m + 1; }"))
    assert len(pipeline.process(0, data(1)).findings) == 1
    assert pipeline.process(0, data(0)).findings == []
    assert len(pipeline.process(0, data(1)).findings) == 1


def test_a_packet_without_a_port_is_dropped() -> None:
    result = run(data(), body="bit<9> nowhere; tm.ucast_egress_port = nowhere;")
    assert result.outputs == []
