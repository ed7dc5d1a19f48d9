"""Endpoints: text to value and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowpath.wire.endpoint import Endpoint

addresses = st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16)


@given(addresses, st.integers(1, 0xFFFF))
def test_round_trip(address: bytes, port: int) -> None:
    endpoint = Endpoint(address, port)
    assert Endpoint.parse(str(endpoint)) == endpoint


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "ADDRESS:PORT"),
        ("192.0.2.1", "ADDRESS:PORT"),
        ("192.0.2.1:", "ADDRESS:PORT"),
        ("192.0.2.1:0", "1..65535"),
        ("192.0.2.1:65536", "1..65535"),
        ("192.0.2.1:-1", "1..65535"),
        ("192.0.2.1:８０", "1..65535"),
        ("192.0.2.1:http", "1..65535"),
        ("192.0.2:80", "IP address"),
        ("example.com:80", "IP address"),
        (":80", "IP address"),
        ("192.0.2.1/32:80", "IP address"),
        ("2001:db8::1:80", "brackets"),
        ("[192.0.2.1]:80", "brackets"),
        ("[2001:db8::1]", "ADDRESS:PORT"),
        ("[2001:db8::1:80", "IP address"),
    ],
)
def test_what_is_no_endpoint_is_refused_with_its_text(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        Endpoint.parse(text)
    assert repr(text) in str(caught.value)


def test_an_endpoint_of_either_version() -> None:
    assert Endpoint.parse("192.0.2.1:80") == (bytes((192, 0, 2, 1)), 80)
    assert str(Endpoint.parse("[2001:DB8:0::1]:443")) == "[2001:db8::1]:443"
