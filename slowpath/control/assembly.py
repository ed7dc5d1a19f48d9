"""From a configuration to what runs: members, pools, services, probes. State of servers outlives a reload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from random import Random

from fastpath.records import Limits, Listener, Offer, Server
from slowpath.balancing.balancer import balancer
from slowpath.balancing.member import Member
from slowpath.control.config import Config, HealthConfig, ListenerConfig, PoolConfig
from slowpath.health.offer import common
from slowpath.health.probe import Policy, Probe
from slowpath.routing.router import Router
from slowpath.splicing.protocols import Http
from slowpath.splicing.service import Pool, Service, Timeouts
from slowpath.splicing.sources import Snat, Sources, Transparent
from slowpath.wire.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class Parts:
    """What one configuration makes."""

    config: Config
    services: tuple[Service, ...]
    pools: dict[str, Pool]
    probes: tuple[Probe, ...]

    @property
    def servers(self) -> list[Server]:
        """The fast path's table of servers."""
        return [Server(probe.member.id, probe.member.endpoint) for probe in self.probes]

    @property
    def listeners(self) -> list[Listener]:
        """The fast path's table of listeners."""
        return [
            Listener(
                service.endpoint,
                service.offer,
                frozenset(member.id for pool in service.pools.values() for member in pool.members),
            )
            for service in self.services
        ]

    @property
    def all_checked(self) -> bool:
        """Whether every server's health is known."""
        return all(probe.checked for probe in self.probes)

    def refresh_offers(self, limits: Limits) -> bool:
        """Make the services offer what their servers have by now; True if that changed anything."""
        changed = False
        for service in self.services:
            members = {id(member) for pool in service.pools.values() for member in pool.members}
            offers = (probe.offer for probe in self.probes if id(probe.member) in members)
            offer = common((offer for offer in offers if offer is not None), limits)
            changed |= offer != service.offer
            service.offer = offer
        return changed


class Assembler:
    """Makes parts; a server that was there before keeps its id, its health and its count of connections.

    Those of earlier parts are remembered until `settle` says which parts are in force.
    """

    def __init__(self, limits: Limits, random: Random) -> None:
        self._limits = limits
        self._random = random
        self._ids = count()
        self._probes: dict[tuple[str, Endpoint], Probe] = {}

    def assemble(self, config: Config) -> Parts:
        """The parts for `config`."""
        probes = {
            (name, server.address): self._probe(name, server.address, server.weight, pool.health)
            for name, pool in config.pools.items()
            for server in pool.servers
        }
        self._probes |= probes
        pools = {name: self._pool(name, pool, probes) for name, pool in config.pools.items()}
        timeouts = Timeouts(
            connect=config.timeouts.connect,
            head=config.timeouts.request_head,
            answer=config.timeouts.answer,
            idle=config.timeouts.idle,
            linger=config.timeouts.linger,
        )
        services = tuple(
            _service(name, listener, pools, timeouts, config.limits.head_bytes)
            for name, listener in config.listeners.items()
        )
        parts = Parts(config, services, pools, tuple(probes.values()))
        parts.refresh_offers(self._limits)
        return parts

    def settle(self, parts: Parts) -> None:
        """`parts` are in force: forget the servers that are not in them."""
        kept = set(map(id, parts.probes))
        self._probes = {key: probe for key, probe in self._probes.items() if id(probe) in kept}

    def _probe(self, pool: str, endpoint: Endpoint, weight: int, health: HealthConfig) -> Probe:
        policy = Policy(health.http, health.host, health.interval, health.timeout, health.rise, health.fall)
        known = self._probes.get((pool, endpoint))
        if known is None:
            # Down until the first probe says otherwise, which it does before the listeners open.
            return Probe(Member(next(self._ids), endpoint, weight, up=False), policy)
        known.policy, known.member.weight = policy, weight
        return known

    def _pool(self, name: str, config: PoolConfig, probes: dict[tuple[str, Endpoint], Probe]) -> Pool:
        members = [probes[name, server.address].member for server in config.servers]
        return Pool(name, members, balancer(config.balance, members, self._random))


def sources(config: Config) -> Sources:
    """Where connections to servers come from."""
    if config.source is None:
        return Transparent()
    return Snat([address.packed for network in config.source.snat for address in network])


def _service(
    name: str, listener: ListenerConfig, pools: dict[str, Pool], timeouts: Timeouts, head_limit: int
) -> Service:
    router = Router([route.rule() for route in listener.routes], listener.default)
    reachable = _pools_of(listener)
    return Service(
        name=name,
        endpoint=listener.address,
        router=router,
        pools={name: pools[name] for name in reachable},
        timeouts=timeouts,
        protocol=Http(head_limit),
        offer=Offer(),
    )


def _pools_of(listener: ListenerConfig) -> Sequence[str]:
    """The names of the pools that a listener can choose, each once."""
    choices = [route.pool for route in listener.routes] + ([listener.default] if listener.default else [])
    return list(dict.fromkeys(name for choice in choices for name in choice))
