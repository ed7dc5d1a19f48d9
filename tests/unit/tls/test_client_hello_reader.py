"""ClientHellos: what is read of them, in pieces of any size, and what is refused with which alert."""

from __future__ import annotations

import ssl
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowpath.request import Refused
from slowpath.tls.alerts import Alert, fatal
from slowpath.tls.client_hello import ClientHello
from slowpath.tls.reader import ClientHelloReader
from tests.unit.tls.hellos import (
    ALPN,
    ENCRYPTED_CLIENT_HELLO,
    GREASE,
    SERVER_NAME,
    alpn,
    body,
    extension,
    hello,
    message,
    openssl,
    records,
    server_name,
    vector,
)

LIMIT = 16384
NAMED = server_name("WWW.Example.com.")


def read(stream: bytes, limit: int = LIMIT) -> ClientHello:
    """The hello of a whole stream."""
    found = ClientHelloReader(limit).feed(stream)
    assert found is not None
    return found


def refusal(stream: bytes, limit: int = LIMIT) -> tuple[int, Alert | None]:
    """The status and the alert that a stream is refused with."""
    reader = ClientHelloReader(limit)
    with pytest.raises(Refused) as raised:
        reader.feed(stream)
    return raised.value.status, reader.alert


def test_the_server_name_and_the_protocols_are_read() -> None:
    stream = hello(NAMED, alpn("h2", "http/1.1"))
    found = read(stream + b"more")
    assert (found.host, found.alpn, found.length) == ("www.example.com", ("h2", "http/1.1"), len(stream))
    assert (found.path, found.target, found.method, found.values("host")) == ("", "", "", ())


@pytest.mark.parametrize("greatest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
@pytest.mark.parametrize("name", ["www.example.com", None])
@pytest.mark.parametrize("protocols", [("h2", "http/1.1"), ()], ids=["alpn", "no-alpn"])
def test_openssls_is_read(greatest: ssl.TLSVersion, name: str | None, protocols: tuple[str, ...]) -> None:
    found = read(openssl(name, *protocols, greatest=greatest))
    assert (found.host, found.alpn) == (name or "", protocols)


@pytest.mark.parametrize("fragment", [1, 2, 3, 5, 17, 100])
def test_any_number_of_records_and_segments_will_do(fragment: int) -> None:
    content = message(body(NAMED, alpn("h2")))
    reader = ClientHelloReader(LIMIT)
    *first, last = records(content, fragment)
    assert all(reader.feed(bytes([byte])) is None for byte in first)
    found = reader.feed(bytes([last]))
    assert found is not None and (found.host, found.alpn) == ("www.example.com", ("h2",))


@pytest.mark.parametrize(
    "stream",
    [
        hello(),
        hello(server_name("whatever", kind=1)),
        records(message(b"\x03\x01" + bytes(32) + b"\0" + b"\0\x02\0\x35" + b"\x01\0")),
        hello(alpn("h2")),
    ],
    ids=["no extensions", "a name of another type", "before extensions", "others"],
)
def test_there_may_be_no_server_name(stream: bytes) -> None:
    assert read(stream).host == ""


def test_what_nobody_knows_is_passed_over() -> None:
    suites = b"".join(value.to_bytes(2, "big") for value in GREASE) + b"\x13\x01"
    outer = extension(ENCRYPTED_CLIENT_HELLO, bytes(200))
    unknown = [extension(value, b"\0") for value in GREASE]
    content = body(*unknown, server_name("public.example"), outer, alpn("\x0a\x0a", "h2"), suites=suites)
    found = read(records(message(content)))
    assert (found.host, found.alpn) == ("public.example", ("\x0a\x0a", "h2"))


MALFORMED = {
    "two names": extension(SERVER_NAME, vector(2, 2 * (b"\0" + vector(2, b"a")))),
    "no names": extension(SERVER_NAME, vector(2, b"")),
    "an empty name": server_name(""),
    "a zero in the name": server_name("a\0.example.com"),
    "a name beyond ASCII": server_name("\xe4.example.com"),
    "a space in the name": server_name("a b"),
    "names and more": extension(SERVER_NAME, vector(2, b"\0" + vector(2, b"a")) + b"x"),
    "the server name cut short": extension(SERVER_NAME, b"\0\x09\0\0\x06a"),
    "no protocols": extension(ALPN, vector(2, b"")),
    "an empty protocol": alpn("h2", ""),
    "protocols cut short": extension(ALPN, b"\0\x03\x09h2"),
    "an extension twice": alpn("h2") + alpn("h2"),
    "an extension cut short": b"\0\x10\0\x09x",
}


@pytest.mark.parametrize("extensions", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_extension_is_refused(extensions: bytes) -> None:
    assert refusal(hello(extensions)) == (400, Alert.DECODE_ERROR)


@pytest.mark.parametrize(
    ("stream", "status", "alert"),
    [
        (b"GET / HTTP/1.1\r\n", 400, Alert.UNEXPECTED_MESSAGE),
        (b"\x17\x03\x03\0\x05hello", 400, Alert.UNEXPECTED_MESSAGE),
        (records(message(bytes(40), kind=2)), 400, Alert.UNEXPECTED_MESSAGE),
        (hello(NAMED)[:40] + b"\x15\x03\x03" + bytes(400), 400, Alert.DECODE_ERROR),
        (records(message(body(NAMED))[:20]) + b"\x15\x03\x03\0\x02\x01\0", 400, Alert.UNEXPECTED_MESSAGE),
        (b"\x16\x02\0\0\x05hello", 505, Alert.PROTOCOL_VERSION),
        (b"\x80\x2e\x01\0\x02", 505, Alert.PROTOCOL_VERSION),
        (b"\x16\x03\x01\0\0", 400, Alert.DECODE_ERROR),
        (b"\x16\x03\x01\x40\x01", 400, Alert.DECODE_ERROR),
        (records(message(body(tail=b"x"))), 400, Alert.DECODE_ERROR),
        (records(message(body(session=bytes(33)))), 400, Alert.DECODE_ERROR),
        (records(message(body(suites=b"\x13\x01\x13"))), 400, Alert.DECODE_ERROR),
        (records(message(b"")), 400, Alert.DECODE_ERROR),
        (records(b"\x01" + (LIMIT + 1).to_bytes(3, "big")), 431, Alert.DECODE_ERROR),
    ],
    ids=[
        *("http", "application data", "another message", "lengths that lie", "another record within"),
        *("version 2", "SSL 2.0", "empty record", "long record", "trailing byte", "long session"),
        *("half a suite", "empty message", "long message"),
    ],
)
def test_what_is_no_client_hello_is_refused(stream: bytes, status: int, alert: Alert) -> None:
    assert refusal(stream) == (status, alert)


def test_a_hello_that_takes_too_long_is_refused() -> None:
    stream = records(message(body(extension(21, bytes(1200)))), fragment=1)
    assert read(stream).host == ""
    assert refusal(stream, limit=2000) == (431, Alert.DECODE_ERROR)
    assert ClientHelloReader(2000).feed(stream[:1999]) is None


def test_an_alert_is_a_record_of_its_own() -> None:
    assert fatal(Alert.UNRECOGNIZED_NAME) == b"\x15\x03\x03\0\x02\x02\x70"


names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z0-9]{1,10}){0,4}", fullmatch=True)
others = st.builds(extension, st.integers(17, 0xFFFF), st.binary(max_size=60))


@given(
    name=names,
    protocols=st.lists(st.sampled_from(["h2", "http/1.1", "imap", "\x0a\x0a"]), min_size=1, max_size=4),
    unknown=st.lists(others, max_size=5, unique_by=lambda one: one[:2]),
    fragment=st.integers(1, 400),
    session=st.binary(max_size=32),
    cuts=st.lists(st.integers(1, 2000), max_size=8),
)
def test_whatever_the_pieces_the_same_is_read(
    name: str, protocols: list[str], unknown: list[bytes], fragment: int, session: bytes, cuts: list[int]
) -> None:
    content = message(body(*unknown, server_name(name), alpn(*protocols), session=session))
    stream = records(content, fragment)
    bounds = [0, *sorted(cut for cut in set(cuts) if cut < len(stream)), len(stream)]
    reader = ClientHelloReader(LIMIT)
    found = [reader.feed(stream[start:end]) for start, end in pairwise(bounds)]
    assert found[:-1] == [None] * (len(found) - 1)
    assert found[-1] == ClientHello(name, tuple(protocols), len(stream))


@given(st.binary(max_size=300), st.data())
def test_nothing_but_a_refusal_comes_of_garbage(noise: bytes, data: st.DataObject) -> None:
    whole = bytearray(hello(NAMED, alpn("h2", "http/1.1"), *(extension(value, b"x") for value in GREASE)))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    for stream in (noise, b"\x16\x03\x01" + noise, records(b"\x01" + noise), records(message(noise)), bytes(whole)):
        reader = ClientHelloReader(LIMIT)
        try:
            found = reader.feed(stream)
        except Refused:
            assert reader.alert is not None
        else:
            assert found is None or found == reader.hello
