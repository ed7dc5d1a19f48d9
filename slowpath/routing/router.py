"""From a request to its rule and pool: the first rule that matches decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from typing import Protocol, TypeAlias

from slowpath.balancing.smooth import SmoothWeighted
from slowpath.http.answers import Answer
from slowpath.http.editing import HeadEdits
from slowpath.limiting.rate import RateLimit
from slowpath.request import Request
from slowpath.routing.matchers import Exact, Prefix, Present, Regex, Wildcard

PoolChoice: TypeAlias = Mapping[str, int]
"""Weights (0 or more, at least one more) by pool name; requests are spread in that proportion."""


class Reply(Protocol):
    """What a rule without a pool answers its requests with."""

    def answer(self, request: Request, port: int) -> Answer:
        """The answer to `request`, which came to our `port`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A request that fulfils every condition goes to `pool`, or gets `reply` if there is one.

    A condition that is not set holds for all.

    `host` ignores case; what it is matched with has no port, and no condition holds for a request
    without host. `path` is matched with `RequestHead.path`. `method` holds one of the methods named,
    `alpn` one of those that a ClientHello offers. A header's condition holds if one
    of the values of that header matches. Raises ValueError for weights that leave nothing to choose,
    and unless there is one of pool and reply. `edits` are done to the heads of requests to the pool.
    `request_rate` limits the requests that fulfil the rule, whatever becomes of them.
    """

    pool: PoolChoice = field(default_factory=dict)
    host: Exact | Wildcard | Regex | None = None
    path: Exact | Prefix | Regex | None = None
    method: frozenset[str] = frozenset()
    headers: Mapping[str, Exact | Regex | Present] = field(default_factory=dict)
    alpn: frozenset[str] = frozenset()
    reply: Reply | None = None
    edits: HeadEdits | None = None
    request_rate: RateLimit | None = None

    def __post_init__(self) -> None:
        if self.reply is None:
            _require_weight(self.pool)
        elif self.pool:
            raise ValueError("a rule has a pool or a reply, not both")
        object.__setattr__(self, "host", _without_case(self.host))

    def matches(self, head: Request) -> bool:
        """Whether `head` fulfils every condition."""
        return (
            (self.host is None or (head.host != "" and self.host.matches(head.host)))
            and (self.path is None or self.path.matches(head.path))
            and (not self.method or head.method in self.method)
            and (not self.alpn or not self.alpn.isdisjoint(head.alpn))
            and all(any(map(want.matches, head.values(name))) for name, want in self.headers.items())
        )


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """Where a request goes: the rule that it fulfils, and a pool drawn by its weights (empty if it has a reply)."""

    rule: Rule
    pool: str


class Router:
    """Chooses routes by `rules`, the first that matches, and `default` where none does."""

    def __init__(
        self, rules: Sequence[Rule], default: PoolChoice | None = None, default_edits: HeadEdits | None = None
    ) -> None:
        """Raises ValueError for a default whose weights leave nothing to choose."""
        self.edits = default_edits is not None or any(rule.edits is not None for rule in rules)
        """Whether the heads of some requests are edited."""
        self._default = None if default is None else _Entry(len(rules), Rule(default, edits=default_edits))
        # Rules for one exact host are found by it, so that thousands of hosts cost no more than one;
        # merged by position with the others, the first match still wins.
        by_host: defaultdict[str, list[_Entry]] = defaultdict(list)
        self._others: list[_Entry] = []
        for position, rule in enumerate(rules):
            entry = _Entry(position, rule)
            group = by_host[rule.host.value] if isinstance(rule.host, Exact) else self._others
            group.append(entry)
        self._by_host = dict(by_host)

    def choose(self, head: Request) -> Route | None:
        """The route of this request; None: there is none (404)."""
        of_host = self._by_host.get(head.host)
        entries = self._others if of_host is None else merge(of_host, self._others)
        for entry in entries:
            if entry.rule.matches(head):
                return entry.next()
        return self._default.next() if self._default else None


class _Entry:
    """A rule at its place, and whose turn it is among its pools."""

    __slots__ = ("_order", "_routes", "position", "rule")

    def __init__(self, position: int, rule: Rule) -> None:
        self.position = position
        self.rule = rule
        choice = {"": 1} if rule.reply is not None else rule.pool
        self._routes = [(Route(rule, pool), weight) for pool, weight in choice.items()]
        self._order: SmoothWeighted[Route] = SmoothWeighted()

    def next(self) -> Route | None:
        if len(self._routes) == 1:
            return self._routes[0][0]
        return self._order.pick(self._routes)

    def __lt__(self, other: _Entry) -> bool:
        return self.position < other.position


def _require_weight(choice: PoolChoice) -> None:
    if any(weight < 0 for weight in choice.values()) or not any(choice.values()):
        raise ValueError(f"weights by pool must be 0 or more, and one of them more: {dict(choice)}")


def _without_case(host: Exact | Wildcard | Regex | None) -> Exact | Wildcard | Regex | None:
    """The same condition for hosts in lower case."""
    match host:
        case Exact(value):
            return Exact(value.lower())
        case Wildcard(suffix):
            return Wildcard(suffix.lower())
        case Regex(value):
            return Regex(f"(?i){value}")
        case None:
            return None
