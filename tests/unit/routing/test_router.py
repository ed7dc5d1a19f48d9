"""From request heads to pools."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowpath.http.head import HeadReader, RequestHead
from slowpath.request import Request
from slowpath.routing.matchers import Exact, InvalidPattern, Prefix, Present, Regex, Wildcard
from slowpath.routing.router import Router, Rule
from slowpath.tls.client_hello import ClientHello

TO_A = {"a": 1}


def head(host: str = "example.com", path: str = "/", method: str = "GET", *fields: str) -> RequestHead:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *fields, "", ""]
    request = HeadReader().feed("\r\n".join(lines).encode())
    assert request is not None
    return request


def pool(router: Router, request: RequestHead) -> str | None:
    route = router.choose(request)
    return None if route is None else route.pool


def chosen(rule: Rule, request: Request) -> bool:
    return Router([rule]).choose(request) is not None


@pytest.mark.parametrize(
    ("host", "yes", "no"),
    [
        (Exact("IMG.example.com"), ["img.example.com", "Img.Example.Com:8080", "img.example.com."], ["example.com"]),
        (Wildcard("Example.com"), ["a.example.com", "b.A.EXAMPLE.com:80"], ["example.com", "aexample.com"]),
        (Regex(r"^(IMG|static)[0-9]\.Example\."), ["img1.example.com:80", "STATIC2.example.org"], ["img.example.com"]),
        (Exact("[2001:DB8::1]"), ["[2001:db8::1]:80"], ["[2001:db8::2]"]),
        (None, ["example.com", ""], []),
    ],
)
def test_host(host: Exact | Wildcard | Regex | None, yes: list[str], no: list[str]) -> None:
    rule = Rule(TO_A, host=host)
    assert [name for name in (*yes, *no) if chosen(rule, head(name))] == yes


def test_without_a_host_no_condition_on_it_holds() -> None:
    for host in (Regex(".*"), Regex("^$")):
        assert not chosen(Rule(TO_A, host=host), ClientHello("", (), 1))


def test_one_of_the_protocols_offered_is_enough() -> None:
    rule = Rule(TO_A, alpn=frozenset({"h2", "imap"}))
    assert chosen(rule, ClientHello("a", ("http/1.1", "h2"), 1))
    assert not chosen(rule, ClientHello("a", ("http/1.1",), 1))
    assert not chosen(rule, ClientHello("a", (), 1))
    assert not chosen(rule, head())


def test_path_is_matched_as_sent_without_the_query() -> None:
    assert chosen(Rule(TO_A, path=Exact("/a")), head(path="/a?b=/c"))
    assert chosen(Rule(TO_A, path=Prefix("/a/")), head(path="/a/../b"))
    assert chosen(Rule(TO_A, path=Regex("%2F$")), head(path="/a%2F"))
    assert not chosen(Rule(TO_A, path=Exact("/a")), head(path="/A"))
    assert not chosen(Rule(TO_A, path=Prefix("/a")), head(path="/%61"))
    assert not chosen(Rule(TO_A, path=Regex("b")), head(path="/a?b"))


def test_method() -> None:
    rule = Rule(TO_A, method=frozenset({"GET", "HEAD"}))
    assert [method for method in ("GET", "HEAD", "POST") if chosen(rule, head(method=method))] == ["GET", "HEAD"]


def test_headers() -> None:
    canary = head("a", "/", "GET", "X-Canary: 0", "x-canary: 1", "Cookie: a=b; user=17", "X-Empty:")
    assert chosen(Rule(TO_A, headers={"X-CANARY": Exact("1")}), canary)
    assert chosen(Rule(TO_A, headers={"x-canary": Exact("0"), "cookie": Regex("user=[0-9]+")}), canary)
    assert chosen(Rule(TO_A, headers={"X-Empty": Present()}), canary)
    assert not chosen(Rule(TO_A, headers={"x-canary": Exact("2")}), canary)
    assert not chosen(Rule(TO_A, headers={"x-canary": Exact("1"), "cookie": Regex("^user")}), canary)
    assert not chosen(Rule(TO_A, headers={"x-other": Present()}), canary)
    assert not chosen(Rule(TO_A, headers={"x-other": Regex("")}), canary)


def test_everything_named_must_match() -> None:
    rule = Rule(
        {"api": 1},
        host=Wildcard("example.com"),
        path=Regex("^/v[0-9]+/"),
        method=frozenset({"GET"}),
        headers={"x-canary": Exact("1")},
    )
    assert chosen(rule, head("a.example.com", "/v1/", "GET", "X-Canary: 1"))
    assert not chosen(rule, head("example.com", "/v1/", "GET", "X-Canary: 1"))
    assert not chosen(rule, head("a.example.com", "/v/", "GET", "X-Canary: 1"))
    assert not chosen(rule, head("a.example.com", "/v1/", "PUT", "X-Canary: 1"))
    assert not chosen(rule, head("a.example.com", "/v1/", "GET", "X-Canary: 2"))


def test_default() -> None:
    rules = [Rule(TO_A, host=Exact("a"))]
    assert pool(Router(rules), head("b")) is None
    assert pool(Router(rules, {"rest": 1}), head("b")) == "rest"
    assert pool(Router([]), head("b")) is None


def test_connect_has_no_path_for_a_rule_to_match() -> None:
    tunnel = head(path="example.com:443", method="CONNECT")
    assert pool(Router([Rule(TO_A, path=Prefix("/"))], {"rest": 1}), tunnel) == "rest"


def test_weights_are_dealt_out_evenly() -> None:
    router = Router([Rule({"api": 90, "canary": 10, "off": 0})])
    picks = [pool(router, head()) for _ in range(200)]
    for start in range(0, 200, 10):
        assert Counter(picks[start : start + 10]) == {"api": 9, "canary": 1}


def test_rules_deal_out_independently() -> None:
    half = {"a": 1, "b": 1}
    router = Router([Rule(half, path=Exact("/1")), Rule(half, path=Exact("/2"))], half)
    assert [pool(router, head(path=path)) for path in ("/1", "/2", "/3", "/1", "/2", "/3")] == ["a"] * 3 + ["b"] * 3


@pytest.mark.parametrize("weights", [{}, {"a": 0}, {"a": 1, "b": -1}])
def test_weights_that_leave_nothing_to_choose(weights: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="weights by pool must be 0 or more, and one of them more"):
        Rule(weights)
    with pytest.raises(ValueError, match="weights by pool must be 0 or more, and one of them more"):
        Router([], weights)


def test_a_host_pattern_is_checked_as_written() -> None:
    with pytest.raises(InvalidPattern) as error:
        Rule(TO_A, host=Regex("(a"))
    assert error.value.pattern == "(a"


HOSTS = st.sampled_from(["a.x", "b.x", "A.X", "c.y", "x"])
RULES = st.builds(
    Rule,
    st.just(TO_A),
    host=st.none() | HOSTS.map(Exact) | st.sampled_from(["x", "y"]).map(Wildcard) | st.just(Regex("^[ab]")),
    path=st.none() | st.sampled_from(["/", "/p"]).map(Exact) | st.just(Prefix("/p")),
)


@given(st.lists(RULES, max_size=12), HOSTS, st.sampled_from(["/", "/p", "/pq", "/q"]))
def test_the_first_match_wins(rules: list[Rule], host: str, path: str) -> None:
    request = head(host, path)
    named = [Rule({str(i): 1}, rule.host, rule.path) for i, rule in enumerate(rules)]
    first = next((str(i) for i, rule in enumerate(rules) if rule.matches(request)), None)
    assert pool(Router(named), request) == first
