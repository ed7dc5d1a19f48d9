"""From a configuration to what runs: pools, services, the fast path's tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random

from fastpath.access import Access
from fastpath.records import Limits, Listener, Offer, Pivot, Server
from slowpath.balancing.balancer import balancer
from slowpath.balancing.member import Balancer, Member
from slowpath.control import checks, rules
from slowpath.control.config import Config, LimitsConfig, ListenerConfig
from slowpath.control.discovery.targets import Target, Targets
from slowpath.control.limiters import Limiters
from slowpath.control.roster import Enlisted, Roster
from slowpath.health.health import PoolHealth
from slowpath.health.offer import common, toward
from slowpath.health.probe import Probe
from slowpath.splicing.protocols import ApplicationProtocol, Http, Tcp, Tls
from slowpath.splicing.service import Pool, QueuePolicy, Service, Timeouts
from slowpath.splicing.sources import Snat, Sources, Transparent
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.ip import family_of


@dataclass(frozen=True, slots=True)
class Parts:
    """What a configuration and the addresses of its servers make; nothing uses it before it is in force."""

    config: Config
    services: tuple[Service, ...]
    pools: Mapping[str, Pool]
    targets: Targets
    enlisted: Mapping[str, tuple[Enlisted, ...]]
    """The servers by pool."""

    @property
    def everyone(self) -> list[Enlisted]:
        """The servers of all pools."""
        return [each for enlisted in self.enlisted.values() for each in enlisted]

    @property
    def probes(self) -> list[Probe]:
        """One for each of them."""
        return [each.entry.probe for each in self.everyone]

    @property
    def pool_health(self) -> list[PoolHealth]:
        """How each pool is looked after."""
        return [
            checks.pool_health(name, self.config.pools[name], [each.member for each in enlisted])
            for name, enlisted in self.enlisted.items()
        ]

    @property
    def servers(self) -> list[Server]:
        """The fast path's table of servers."""
        return [Server(each.member.id, each.member.endpoint) for each in self.everyone]

    @property
    def listeners(self) -> list[Listener]:
        """The fast path's table of listeners."""
        return [
            Listener(
                service.endpoint,
                service.offer,
                frozenset(each.member.id for name in service.pools for each in self.enlisted[name]),
                client_first=service.protocol.client_first,
                access=service.access,
            )
            for service in self.services
        ]

    def refresh_offers(self, limits: Limits) -> bool:
        """Make the services offer what their servers have by now; True if that changed anything."""
        changed = False
        for service in self.services:
            probes = (each.entry.probe for name in service.pools for each in self.enlisted[name])
            offer = common(_offers(service.endpoint, probes), limits)
            changed |= offer != service.offer
            service.offer = offer
        return changed


class Assembler:
    """Makes parts and puts them in force. The servers' state, and the pools', outlive a change."""

    def __init__(self, limits: Limits, random: Random) -> None:
        self._limits = limits
        self._random = random
        self.roster = Roster()
        self._limiters = Limiters()
        self._pools: Mapping[str, Pool] = {}
        """Those in force: connections that are open refer to them."""

    def assemble(self, config: Config, targets: Targets) -> Parts:
        """The parts for `config`, with the servers of each of its pools."""
        pools = {
            name: self._pools.get(name) or Pool(name, [], self._balancer(config, name, [])) for name in config.pools
        }
        timeouts = Timeouts(
            connect=config.timeouts.connect,
            head=config.timeouts.request_head,
            answer=config.timeouts.answer,
            keep_alive=config.timeouts.keep_alive,
            idle=config.timeouts.idle,
            linger=config.timeouts.linger,
        )
        services = tuple(
            _service(
                name,
                listener,
                pools,
                timeouts,
                config.limits,
                self._random.getrandbits,
                self._limiters,
                self._limits.pivot if _reads_every_request(config, listener) else Pivot.NONE,
                self._limits.precedents,
                self._limits.admissions and config.source is None and not _is_logged(config, listener),
                config.access_log.sample if config.access_log is not None and listener.access_log else 0.0,
            )
            for name, listener in config.listeners.items()
        )
        enlisted = {name: self._enlisted(config, name, targets[name]) for name in config.pools}
        return Parts(config, services, pools, targets, enlisted)

    def repopulate(self, parts: Parts, pool: str, targets: Sequence[Target]) -> Parts:
        """The same parts but for the servers of one pool."""
        return replace(
            parts,
            targets={**parts.targets, pool: targets},
            enlisted={**parts.enlisted, pool: self._enlisted(parts.config, pool, targets)},
        )

    def enforce(self, parts: Parts) -> None:
        """Make balancing go by `parts`."""
        self.roster.enforce(parts.everyone)
        self._pools = parts.pools
        for name in parts.pools:
            self.populate(parts, name)

    def populate(self, parts: Parts, name: str) -> None:
        """Give a pool in force its members, as they are now: strategies may prepare themselves for their weights."""
        pool = parts.pools[name]
        pool.members = [each.member for each in parts.enlisted[name]]
        pool.balancer = self._balancer(parts.config, name, pool.members)
        config = parts.config.pools[name]
        pool.queue = QueuePolicy(config.queue.size, config.queue.timeout)
        pool.slow_start = config.slow_start or 0.0
        pool.proxy_protocol = config.proxy_protocol
        if not pool.slow_start:
            for member in pool.members:
                member.ramp = 1.0

    def _enlisted(self, config: Config, name: str, targets: Sequence[Target]) -> tuple[Enlisted, ...]:
        return self.roster.enlist(name, targets, config.pools[name])

    def _balancer(self, config: Config, name: str, members: Sequence[Member]) -> Balancer:
        pool = config.pools[name]
        return balancer(pool.balance, members, self._random, sticky=pool.sticky.cookie if pool.sticky else None)


def _offers(listener: Endpoint, probes: Iterable[Probe]) -> Iterator[Offer]:
    """What the clients of `listener` may be offered by the servers that are known."""
    client = family_of(listener.address)
    for probe in probes:
        if probe.offer is not None:
            yield toward(client, family_of(probe.member.endpoint.address), probe.offer)


def sources(config: Config) -> Sources:
    """Where connections to servers come from."""
    if config.source is None:
        return Transparent()
    return Snat([address.packed for network in config.source.snat for address in network])


def _service(
    name: str,
    listener: ListenerConfig,
    pools: dict[str, Pool],
    timeouts: Timeouts,
    limits: LimitsConfig,
    random_bits: Callable[[int], int],
    limiters: Limiters,
    pivot: Pivot,
    precedents: bool,
    admissions: bool,
    access_log: float,
) -> Service:
    return Service(
        name=name,
        endpoint=listener.address,
        router=rules.router(listener, random_bits, partial(limiters.of_route, name, listener)),
        pools={name: pools[name] for name in listener.pools},
        timeouts=timeouts,
        protocol=_protocol(listener, limits),
        offer=Offer(),
        access=Access(listener.allow, listener.deny) if listener.allow or listener.deny else None,
        limits=limiters.of_listener(name, listener),
        pivot=pivot,
        precedents=precedents,
        admissions=admissions,
        access_log=access_log,
    )


def _is_logged(config: Config, listener: ListenerConfig) -> bool:
    return config.access_log is not None and listener.access_log


def _reads_every_request(config: Config, listener: ListenerConfig) -> bool:
    """Whether each request of a connection is routed, for the listener's sake or that of one of its pools."""
    by_pool = any(config.pools[name].by_request for name in listener.pools)
    return listener.reads_every_request or (by_pool and listener.protocol == "http" and listener.routing == "auto")


def _protocol(listener: ListenerConfig, limits: LimitsConfig) -> ApplicationProtocol:
    if listener.protocol == "tls":
        return Tls(limits.head_bytes)
    if listener.protocol == "tcp":
        return Tcp(limits.head_bytes)
    return Http(limits.head_bytes, listener.takes_http2, limits.header_count, limits.target_bytes)
