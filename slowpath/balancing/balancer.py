"""The balancing strategies by the name that a configuration gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

from slowpath.balancing.maglev import Maglev
from slowpath.balancing.member import Balancer, Member
from slowpath.balancing.source_hash import SourceHash
from slowpath.balancing.strategies import LeastConnections, RandomTwo, RoundRobin

STRATEGIES: Mapping[str, Callable[[Sequence[Member], Random], Balancer]] = {
    "round_robin": lambda members, _: RoundRobin(members),
    "least_connections": lambda members, _: LeastConnections(members),
    "random_two": RandomTwo,
    "source_hash": lambda members, _: SourceHash(members),
    "maglev": lambda members, _: Maglev(members),
}


def balancer(name: str, members: Sequence[Member], random: Random) -> Balancer:
    """The strategy called `name` over `members`, whose state it reads anew at every pick.

    `random` is drawn from by random_two only. Raises ValueError for a name that is not in STRATEGIES.
    """
    try:
        strategy = STRATEGIES[name]
    except KeyError:
        raise ValueError(f"unknown balancing strategy {name!r}: one of {', '.join(STRATEGIES)}") from None
    return strategy(members, random)
