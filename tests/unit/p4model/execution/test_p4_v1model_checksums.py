"""verify_checksum and update_checksum of v1model: what their data is, and the corners of ones' complement sums."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p4model.execution.checksum import of_bytes
from p4model.language.errors import P4Error
from slowpath.wire.checksum import internet_checksum
from tests.unit.p4model.execution.tna_programs import data, started
from tests.unit.p4model.execution.v1model_programs import found, run, sent, v1model

_ALL = "{hdr.data.a, hdr.data.b, hdr.data.d}"


def _update(fields: str, *, condition: str = "true", algorithm: str = "csum16", payload: bool = False) -> str:
    name = "update_checksum_with_payload" if payload else "update_checksum"
    return f"{name}({condition}, {fields}, hdr.data.c, HashAlgorithm.{algorithm});"


@given(st.binary(max_size=99))
def test_the_checksum_of_bytes_is_that_of_rfc_1071(octets: bytes) -> None:
    assert of_bytes(octets) == internet_checksum(octets)


@pytest.mark.parametrize(
    ("a", "b", "d", "expected"),
    [
        (0, 0, 0, 0xFFFF),
        (0xFF, 0xFF, 0, 0x0000),
        (0xFF, 0xFF, 0xFFFFFFFF, 0x0000),
        (0x00, 0x01, 0xFFFE0000, 0x0000),
        (0x12, 0x34, 0x56789ABC, 0xFFFF - (0x1234 + 0x5678 + 0x9ABC - 0xFFFF)),
    ],
)
def test_update_replaces_a_field(a: int, b: int, d: int, expected: int) -> None:
    assert sent(data(a, b, 0x1111, d), compute=_update(_ALL)) == data(a, b, expected, d)


def test_update_leaves_the_field_where_the_condition_fails() -> None:
    compute = _update(_ALL, condition="hdr.data.a == 1")
    assert sent(data(2, 0, 7), compute=compute) == data(2, 0, 7)
    assert sent(data(1, 0, 7), compute=compute) == data(1, 0, 0xFEFF)


def test_fields_need_not_be_words() -> None:
    assert sent(data(0x12, 0x34), compute=_update("{hdr.data.a, 4w0xA, hdr.data.b, 4w0xB}")) == data(
        0x12, 0x34, 0xFFFF - 0x12A3 - 0x4B00
    )
    assert sent(data(0x12), compute=_update("{hdr.data.a}")) == data(0x12, 0, 0xFFFF - 0x1200)


def test_fields_of_invalid_headers_are_left_out() -> None:
    words = "{hdr.data.a, hdr.data.b, hdr.more.c, hdr.data.d}"
    assert sent(data(1, 2, 0, 3), compute=_update(words)) == data(1, 2, 0xFFFF - 0x0102 - 3, 3)
    bits = "{hdr.data.a, hdr.flags.three, hdr.more.a, hdr.data.b}"
    assert sent(data(1, 2), compute=_update(bits)) == data(1, 2, 0xFFFF - 0x0102)
    states = """
        state start {
            packet.extract(hdr.data); packet.extract(hdr.more); packet.extract(hdr.flags);
            transition accept;
        }
    """
    frame = data(1, 2) + data(5) + b"\x70\x00"
    expected = 0xFFFF - int.from_bytes(b"\x01\xe0") - int.from_bytes(b"\xa0\x40")
    assert sent(frame, states=states, compute=_update(bits))[:8] == data(1, 2, expected)


@pytest.mark.parametrize("length", [0, 1, 2, 5])
def test_the_payload_stands_behind_the_fields(length: int) -> None:
    payload = bytes(range(0x81, 0x81 + length))
    left = sent(data(1, 2, 0, 3) + payload, compute=_update(_ALL, payload=True))
    assert left == data(1, 2, internet_checksum(b"\x01\x02\0\0\0\3" + payload), 3) + payload
    odd = sent(data(1, 2, 0, 3) + payload, compute=_update("{hdr.data.a}", payload=True))
    assert odd == data(1, 2, internet_checksum(b"\x01" + payload), 3) + payload


def test_other_algorithms() -> None:
    left = sent(data(1, 2, 0, 3), compute=_update(_ALL, algorithm="crc32"))
    assert left == data(1, 2, zlib.crc32(b"\x01\x02\0\0\0\3") & 0xFFFF, 3)


_VERIFY = f"verify_checksum(hdr.data.a != 9, {_ALL}, hdr.data.c, HashAlgorithm.csum16);"
_TOLD = "hdr.data.b = hdr.data.b + (bit<8>) standard.checksum_error;"


@pytest.mark.parametrize(
    ("a", "checksum_field", "wrong"), [(1, 0xFEFF, 0), (1, 0xFEFE, 1), (9, 0, 0), (0, 0xFFFF, 0), (0, 0, 1)]
)
def test_verify_tells_ingress(a: int, checksum_field: int, wrong: int) -> None:
    assert sent(data(a, 0, checksum_field), verify=_VERIFY, body=_TOLD) == data(a, wrong, checksum_field)


def test_each_frame_is_verified_for_itself() -> None:
    pipeline, _ = started(v1model(verify=_VERIFY, body=_TOLD))
    outputs = [pipeline.process(0, data(1, 0, field)).outputs[0][1] for field in (1, 0xFEFF)]
    assert outputs == [data(1, 1, 1), data(1, 0, 0xFEFF)]


def test_nothing_is_verified_in_a_header_that_is_not_valid() -> None:
    verify = "verify_checksum(true, {hdr.data.a}, hdr.more.c, HashAlgorithm.csum16);"
    assert sent(data(1), verify=verify, body=_TOLD) == data(1)


def test_the_payload_can_be_verified() -> None:
    verify = f"verify_checksum_with_payload(true, {_ALL}, hdr.data.c, HashAlgorithm.csum16);"
    right = internet_checksum(b"\x01\x02\0\0\0\3" + b"payload")
    frame = data(1, 2, right, 3) + b"payload"
    assert sent(frame, verify=verify, body=_TOLD) == frame
    assert sent(frame[:-1] + b"x", verify=verify, body=_TOLD)[1] == 3


def test_what_has_no_value_is_found() -> None:
    assert found(run(data(), compute=_update("{meta.m}"))) == ["read of meta.m, which has no value yet"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (_update(_ALL, algorithm="random"), r"HashAlgorithm\.random is not supported; crc16, crc32, csum16, identity"),
        (_update("{hdr.data.a, 0}"), "write the width of this number: its bits are part of the data"),
        ("update_checksum(true, {hdr.data.a}, hdr.data, HashAlgorithm.csum16);", "a checksum cannot be a data_h"),
        ("verify_checksum(true, {hdr.data.a}, hdr.data.c, HashAlgorithm.csum16);", "verify_checksum cannot be called"),
    ],
)
def test_checksums_that_are_refused(call: str, message: str) -> None:
    with pytest.raises(P4Error, match=message):
        v1model(compute=call)
