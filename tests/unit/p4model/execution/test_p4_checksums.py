"""Residual checksums against a full computation over random packets, and CRCs against their check values."""

from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p4model.execution import crc
from p4model.language.errors import P4Error
from p4model.program import Pipeline
from slowpath.wire.checksum import internet_checksum
from tests.unit.p4model.execution.tna_programs import data, sent, started, tna

_HEADER = "header sum_h { bit<16> checksum; bit<8> odd; bit<8> even; bit<32> long; bit<48> longer; bit<16> rest; }"
_STATES = """
    state first { packet.extract(hdr.sum);
        sum.subtract({hdr.sum.checksum, hdr.sum.odd, hdr.sum.even});
        sum.subtract({hdr.sum.long, hdr.sum.longer, 16w0});
        sum.subtract_all_and_deposit(meta.m);
        transition accept; }
"""
_CHANGE = """
    if (hdr.sum.rest != 0) { hdr.sum.odd = ~hdr.sum.odd; hdr.sum.long = hdr.sum.long + 0xF0000001; }
    hdr.sum.longer = hdr.sum.longer + 1;
"""
_UPDATE = """
    hdr.sum.checksum = sum.update({hdr.sum.odd, hdr.sum.even, hdr.sum.long, hdr.more.d, hdr.sum.longer, meta.m});
"""


@pytest.fixture(scope="module")
def residual() -> Pipeline:
    """A program that changes fields and brings the checksum in front of them up to date."""
    program = tna(
        declarations=_HEADER,
        parser_locals="Checksum() sum;",
        deparser_locals="Checksum() sum;",
        states=_STATES,
        body=_CHANGE,
        deparser=_UPDATE,
        headers="sum_h sum;",
    )
    return started(program)[0]


@settings(deadline=None, max_examples=300)
@given(packet=st.binary(min_size=14, max_size=60), error=st.sampled_from([0, 0, 1, 0x8000]))
def test_a_residual_update_is_as_a_full_computation(residual: Pipeline, packet: bytes, error: int) -> None:
    """What arrives with a wrong checksum leaves wrong by the same difference; 0 and 0xFFFF are one number."""
    packet += b"\0" * (len(packet) % 2)
    checksum = (internet_checksum(packet) + error) % 0xFFFF
    result = residual.process(0, checksum.to_bytes(2) + packet)
    ((_, left),) = result.outputs
    assert result.findings == []
    assert len(left) == len(packet) + 2
    found, changed = int.from_bytes(left[:2]), left[2:]
    assert (found - internet_checksum(changed) - error) % 0xFFFF == 0
    assert found != 0xFFFF or not any(changed)


@pytest.mark.parametrize(("body", "wrong"), [("", 0), ("00ff", 1)])
def test_verify_tells_that_a_sum_is_wrong(body: str, wrong: int) -> None:
    packet = bytes.fromhex("0102 0304 05060708")
    total = internet_checksum(packet)
    states = """
        state first { packet.extract(hdr.data); packet.extract(hdr.flags);
            sum.add({hdr.data.a, hdr.data.b, hdr.data.c, hdr.data.d});
            sum.add({hdr.flags.one, hdr.flags.three, hdr.flags.twelve});
            meta.truth = sum.verify(); transition accept; }
    """
    frame = packet + (total ^ int(body or "0", 16)).to_bytes(2)
    result = sent(frame, parser_locals="Checksum() sum;", states=states, body="if (meta.truth) { hdr.data.a = 0xEE; }")
    assert (result[0] == 0xEE) == bool(wrong)


def test_zeros_as_ones() -> None:
    update = "hdr.data.c = sum.update({hdr.data.d}, true);"
    assert sent(data(0, 0, 0, 0xFFFF0000), deparser_locals="Checksum() sum;", deparser=update)[2:4] == b"\xff\xff"
    update = "hdr.data.c = sum.update({hdr.data.d});"
    assert sent(data(0, 0, 0, 0xFFFF0000), deparser_locals="Checksum() sum;", deparser=update)[2:4] == b"\0\0"


@pytest.mark.parametrize(
    ("parameters", "check"),
    [
        (crc.CRC8, 0xF4),
        (crc.CRC16, 0xBB3D),
        (crc.CRC32, 0xCBF43926),
        (crc.CRC64, 0x6C40DF5F0B497347),
        (crc.Parameters(16, 0x1021, reflected=False, initial=0xFFFF, final_xor=0), 0x29B1),
        (crc.Parameters(32, 0x1EDC6F41, reflected=True, initial=0xFFFFFFFF, final_xor=0xFFFFFFFF), 0xE3069283),
        (crc.Parameters(16, 0x3D65, reflected=True, initial=0, final_xor=0xFFFF), 0xEA82),
        (crc.Parameters(24, 0x864CFB, reflected=False, initial=0xB704CE, final_xor=0), 0x21CF02),
    ],
    ids=["CRC-8", "CRC-16/ARC", "CRC-32", "CRC-64/ECMA-182", "CRC-16/CCITT-FALSE", "CRC-32C", "CRC-16/DNP", "CRC-24"],
)
def test_the_check_values_of_known_crcs(parameters: crc.Parameters, check: int) -> None:
    assert crc.function(parameters)(b"123456789") == check


def test_the_general_crc_is_that_of_zlib() -> None:
    general = crc.Parameters(32, 0x04C11DB7, reflected=True, initial=0xFFFFFFFF, final_xor=0xFFFFFFFF)
    compute = crc.tabled(general)
    for length in range(40):
        sample = random.Random(length).randbytes(length)
        assert compute(sample) == zlib.crc32(sample)


_FRAME = data(0x12, 0x34, 0x5678, 0x9ABCDEF0)


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("Hash<bit<32>>(HashAlgorithm_t.CRC32) h;", "hdr.data", zlib.crc32(_FRAME)),
        ("Hash<bit<32>>(HashAlgorithm_t.CRC32) h;", "{hdr.data.d, hdr.data.a}", zlib.crc32(_FRAME[4:] + _FRAME[:1])),
        ("Hash<bit<20>>(HashAlgorithm_t.CRC32) h;", "{hdr.data.c}", zlib.crc32(_FRAME[2:4]) & 0xFFFFF),
        ("Hash<bit<32>>(HashAlgorithm_t.CRC32) h;", "{hdr.data.c[11:0], 4w5}", zlib.crc32(b"\x67\x85")),
        ("Hash<bit<32>>(HashAlgorithm_t.CRC32) h;", "{hdr.data.c[11:0]}", zlib.crc32(b"\x06\x78")),
        ("Hash<bit<16>>(HashAlgorithm_t.IDENTITY) h;", "{hdr.data.d}", 0xDEF0),
        ("Hash<bit<16>>(HashAlgorithm_t.CRC16) h;", "{hdr.data.d}", crc.function(crc.CRC16)(_FRAME[4:])),
        (
            "CRCPolynomial<bit<16>>(0x1021, false, false, false, 0xFFFF, 0) p;"
            "Hash<bit<16>>(HashAlgorithm_t.CUSTOM, p) h;",
            "{hdr.data.d}",
            crc.function(crc.Parameters(16, 0x1021, reflected=False, initial=0xFFFF, final_xor=0))(_FRAME[4:]),
        ),
        (
            "CRCPolynomial<bit<33>>(0x11EDC6F41, true, false, true, 0xFFFFFFFF, 0xFFFFFFFF) p;"
            "Hash<bit<32>>(HashAlgorithm_t.CUSTOM, p) h;",
            "{hdr.data.d}",
            crc.function(crc.Parameters(32, 0x1EDC6F41, True, 0xFFFFFFFF, 0xFFFFFFFF))(_FRAME[4:]),
        ),
    ],
)
def test_a_hash_is_of_the_fields_in_order(kind: str, fields: str, expected: int) -> None:
    out = sent(_FRAME, locals=kind, body=f"hdr.data.d = (bit<32>) h.get({fields});")
    assert int.from_bytes(out[4:8]) == expected


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("Hash<bit<8>>(HashAlgorithm_t.RANDOM) h;", "hash algorithm RANDOM is not supported; IDENTITY, CRC8, "),
        ("Hash<bit<8>>(HashAlgorithm_t.CUSTOM) h;", "hash algorithm CUSTOM is not supported"),
        ("Hash<bit<17>>(HashAlgorithm_t.CRC16) h;", "a hash of 17 bits is wider than its CRC of 16"),
        ("Hash<bool>(HashAlgorithm_t.CRC16) h;", "a hash cannot be a bool"),
        ("CRCPolynomial<bit<4>>(3, true, false, false, 0, 0) p; Hash<bit<4>>(HashAlgorithm_t.CUSTOM, p) h;", "4 bits"),
        ("CRCPolynomial<bit<8>>(3, true, true, false, 0, 0) p; Hash<bit<4>>(HashAlgorithm_t.CUSTOM, p) h;", "msb of"),
        ("Checksum() sum; action a() { sum.add({hdr.data.a}); } ", None),
    ],
)
def test_what_is_refused(kind: str, message: str | None) -> None:
    if message is None:
        with pytest.raises(P4Error, match="add of a Checksum is for parsers; deparsers have update"):
            tna(locals=kind, body="a();")
        return
    with pytest.raises(P4Error, match=message):
        tna(locals=kind)
