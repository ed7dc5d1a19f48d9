"""The balancing strategies by the name that a configuration gives them, and what can be put around each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from random import Random

from slowpath.balancing.keys import RequestHash, by_address, by_connection
from slowpath.balancing.maglev import Maglev
from slowpath.balancing.member import Balancer, Member
from slowpath.balancing.priorities import Priorities
from slowpath.balancing.rendezvous import Rendezvous
from slowpath.balancing.sticky import Sticky
from slowpath.balancing.strategies import LeastConnections, RandomTwo, RoundRobin

STRATEGIES: Mapping[str, Callable[[Sequence[Member], Random], Balancer]] = {
    "round_robin": lambda members, _: RoundRobin(members),
    "least_connections": lambda members, _: LeastConnections(members),
    "random_two": RandomTwo,
    "source_hash": lambda members, _: Rendezvous(members, by_address),
    "maglev": lambda members, _: Maglev(members, by_connection),
}


def balancer(
    balance: str | RequestHash, members: Sequence[Member], random: Random, *, sticky: str | None = None
) -> Balancer:
    """The strategy `balance` over `members`, whose state it reads anew at every pick.

    A name, or what to hash of requests; within each rank where members have several, and only for
    those whose cookie `sticky`, if there is one, names no server. `random` is drawn from by
    random_two only. Raises ValueError for a name that is not in STRATEGIES.
    """
    by_rank: defaultdict[int, list[Member]] = defaultdict(list)
    for member in members:
        by_rank[member.rank].append(member)
    if len(by_rank) <= 1:
        chosen = _strategy(balance, members, random)
    else:
        groups = [group for _, group in sorted(by_rank.items())]
        chosen = Priorities([(group, _strategy(balance, group, random)) for group in groups])
    return chosen if sticky is None else Sticky(sticky, members, chosen)


def _strategy(balance: str | RequestHash, members: Sequence[Member], random: Random) -> Balancer:
    if isinstance(balance, RequestHash):
        return Rendezvous(members, balance)
    try:
        strategy = STRATEGIES[balance]
    except KeyError:
        raise ValueError(f"unknown balancing strategy {balance!r}: one of {', '.join(STRATEGIES)}") from None
    return strategy(members, random)
