"""SYN cookies carry the options, prove the flow, and expire with their keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from siphash24 import siphash24

from fastpath.records import Flow, Offer, SynCookies
from slowpath.driver import cookies as secrets
from slowpath.tcp import cookie
from slowpath.tcp.cookie import Agreed, Check
from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options

KEYS = SynCookies((bytes(range(16)), bytes(range(16, 32))), 0)
FLOW = Flow(Endpoint.parse("192.0.2.7:40000"), Endpoint.parse("198.51.100.1:80"))
ALL = Offer(mss=1460, window=4380, window_scale=7, sack=True, timestamps=True, ecn=True)

agreements = st.builds(
    Agreed,
    mss=st.sampled_from(cookie.MSS_TABLE),
    window_scale=st.none() | st.integers(0, 14),
    sack=st.booleans(),
    timestamps=st.booleans(),
    ecn=st.booleans(),
)
numbers = st.integers(0, 2**32 - 1)
addresses = st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16)


def test_siphash_is_the_published_function() -> None:
    """Appendix A of the SipHash paper: the 15 bytes 00..0e under the key 00..0f."""
    digest = siphash24(bytes(range(15)), key=bytes(range(16))).digest()
    assert int.from_bytes(digest, "little") == 0xA129CA6149BE45E5


@given(agreements, numbers, addresses, st.integers(0, 1))
def test_a_cookie_comes_back_whole(agreed: Agreed, isn: int, address: bytes, epoch: int) -> None:
    flow = Flow(Endpoint(address, 5), Endpoint(address[::-1], 80))
    cookies = SynCookies(KEYS.keys, epoch)
    made = cookie.make(cookies, flow, isn, agreed)
    assert 0 <= made < 2**32
    assert made >> 31 == epoch
    assert cookie.check(cookies, flow, isn, made) == (Check.VALID, agreed)


def test_another_initial_sequence_number_is_out_of_order() -> None:
    made = cookie.make(KEYS, FLOW, 1000, Agreed())
    verdicts = [cookie.check(KEYS, FLOW, 1000 + offset, made)[0] for offset in range(1, 3000)]
    assert verdicts.count(Check.OUT_OF_ORDER) > 2980  # ten bits of tag: three in 3000 agree by chance
    assert Check.FOREIGN not in verdicts


def test_another_flow_or_number_is_foreign() -> None:
    made = cookie.make(KEYS, FLOW, 1000, Agreed())
    flows = [Flow(Endpoint(FLOW.client.address, port), FLOW.vip) for port in range(2000)]
    foreign = [cookie.check(KEYS, flow, 1000, made)[0] is Check.FOREIGN for flow in flows]
    assert foreign.count(True) > 1990
    guesses = [cookie.check(KEYS, FLOW, 1000, made ^ 1 << bit)[0] for bit in range(10, 32)]
    assert guesses.count(Check.VALID) == 0


def test_a_cookie_lives_for_two_epochs() -> None:
    cookies = secrets.first()
    made = cookie.make(cookies, FLOW, 1000, Agreed())
    following = secrets.next_epoch(cookies)
    assert cookie.check(following, FLOW, 1000, made)[0] is Check.VALID
    assert following.keys[following.epoch & 1] not in cookies.keys
    last = secrets.next_epoch(following)
    assert cookie.check(last, FLOW, 1000, made)[0] is not Check.VALID


@pytest.mark.parametrize(
    ("asked", "mss"), [(None, 536), (100, 536), (536, 536), (1219, 536), (1459, 1440), (1460, 1460), (65495, 8940)]
)
def test_the_mss_is_rounded_down(asked: int | None, mss: int) -> None:
    assert cookie.agree(Options(mss=asked), tcp.SYN, ALL).mss == mss


def test_only_what_both_want_is_agreed() -> None:
    asked = Options(mss=1460, window_scale=9, sack_permitted=True, timestamps=(1, 0))
    ecn = tcp.SYN | tcp.ECE | tcp.CWR
    assert cookie.agree(asked, ecn, ALL) == Agreed(1460, 9, True, True, True)
    assert cookie.agree(asked, ecn, Offer()) == Agreed(1460)
    assert cookie.agree(Options(mss=1460), tcp.SYN, ALL) == Agreed(1460)
    assert not cookie.agree(asked, tcp.SYN | tcp.ECE, ALL).ecn  # RFC 3168 section 6.1.1: both flags ask
