"""From the configuration of a pool to how its servers are checked."""

from __future__ import annotations

from collections.abc import Sequence

from slowpath import proxy_protocol
from slowpath.balancing.member import Member
from slowpath.control.config import PoolConfig
from slowpath.health.health import PoolHealth
from slowpath.health.probe import Policy
from slowpath.health.verdict import Hysteresis


def policy(pool: PoolConfig) -> Policy:
    """How the servers of a pool are probed."""
    health = pool.health
    return Policy(
        http=health.http_check,
        tls=health.tls_check,
        port=health.port,
        preamble=_preamble(pool),
        interval=health.interval,
        timeout=health.timeout,
        hysteresis=Hysteresis(health.rise, health.fall, health.flap_half_life),
    )


def _preamble(pool: PoolConfig) -> bytes:
    """What the pool's servers expect of every connection; another port of theirs is none of the clients'."""
    if pool.proxy_protocol is None or pool.health.port is not None:
        return b""
    return proxy_protocol.local(pool.proxy_protocol)


def pool_health(name: str, pool: PoolConfig, members: Sequence[Member]) -> PoolHealth:
    """How the pool `name` is watched; `members` are its servers."""
    return PoolHealth(name, members, pool.passive.policy() if pool.passive is not None else None, pool.panic)
