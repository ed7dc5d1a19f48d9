"""What a running instance shows of itself: status, connections, and the numbers behind the metrics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from importlib.metadata import version

from fastpath.interface import FastPath
from fastpath.records import Direction, Traffic
from slowpath.accesslog.log import AccessLog
from slowpath.control.assembly import Parts
from slowpath.control.config import PoolConfig
from slowpath.control.discovery.discovery import Discovery, Found
from slowpath.control.enforcer import Enforcer
from slowpath.control.host import Host
from slowpath.control.metrics import ServerSample, Snapshot
from slowpath.control.reloading import Reloader
from slowpath.control.roster import Entry
from slowpath.control.status import (
    ConnectionList,
    ConnectionRow,
    FastPathStatus,
    ListenerStatus,
    PoolStatus,
    ServerStatus,
    Status,
)
from slowpath.health.ejection import State
from slowpath.health.health import Health
from slowpath.health.probe import Probe
from slowpath.splicing.search import Match, Wanted
from slowpath.splicing.splicer import Splicer

_NOTHING = (Traffic(), Traffic())
_ROWS_AT_ONCE = 256
"""So many connections are put in words before others have their turn."""


class Inspector:
    """Looks at the parts of a running instance."""

    def __init__(
        self,
        enforcer: Enforcer,
        discovery: Discovery,
        reloader: Reloader,
        splicer: Splicer,
        fastpath: FastPath,
        health: Health,
        host: Host,
        access_log: AccessLog | None,
    ) -> None:
        self._enforcer, self._discovery, self._reloader = enforcer, discovery, reloader
        self._splicer, self._fastpath, self._health, self._host = splicer, fastpath, health, host
        self._access_log = access_log
        self._started = time.monotonic()

    def status(self) -> Status:
        """For `l7lb status`."""
        return status(self._enforcer, self._splicer, self._fastpath, self._health, self._started)

    async def connections(self, wanted: Wanted) -> ConnectionList:
        """For `l7lb connections`; gives way to others while it looks."""
        search = self._splicer.search(wanted)
        for _ in search.steps():
            await asyncio.sleep(0)
        rows, now = [], time.monotonic()
        for index, match in enumerate(search.oldest):
            if index % _ROWS_AT_ONCE == 0:
                await asyncio.sleep(0)
            rows.append(_row(match, now))
        return ConnectionList(search.matching, tuple(rows))

    def snapshot(self) -> Snapshot:
        """For a scrape."""
        return snapshot(
            self._enforcer.parts,
            self._splicer,
            self._fastpath,
            self._health,
            self._host,
            self._reloader.results,
            self._discovery.found,
            self._access_log,
        )


def status(enforcer: Enforcer, splicer: Splicer, fastpath: FastPath, health: Health, started: float) -> Status:
    """A snapshot for `l7lb status`; `started` is on the monotonic clock."""
    parts = enforcer.parts
    now = time.monotonic()
    leaving = enforcer.roster.leaving(parts.everyone)
    counters = fastpath.counters()
    counted, traffic = splicer.tally(counters), counters.servers
    return Status(
        version=version("l7lb"),
        uptime_seconds=time.monotonic() - started,
        fastpath=FastPathStatus(parts.config.fastpath.kind, splicer.splice_count, fastpath.limits.capacity),
        connections=splicer.connection_count,
        resting=splicer.resting_count,
        listeners=tuple(
            ListenerStatus(
                service.name,
                str(service.endpoint),
                counted.connections.get(service.name, 0),
                sum(counted.requests.get((service.name, pool), 0) for pool in service.pools),
            )
            for service in parts.services
        ),
        pools=tuple(
            PoolStatus(
                name,
                _balance(parts.config.pools[name]),
                tuple(
                    _server(entry, health, traffic.get(entry.member.id, _NOTHING), now)
                    for entry in (
                        *(each.entry for each in enlisted),
                        *(entry for entry in leaving if entry.pool == name),
                    )
                ),
                splicer.queued.get(name, 0),
            )
            for name, enlisted in parts.enlisted.items()
        ),
    )


def _balance(pool: PoolConfig) -> str:
    """How a pool is balanced, in words."""
    return str(pool.balance) if pool.sticky is None else f"{pool.balance}, sticky by {pool.sticky.cookie}"


def _server(entry: Entry, health: Health, traffic: tuple[Traffic, Traffic], now: float) -> ServerStatus:
    probe, member, record = entry.probe, entry.member, health.record(entry.member)
    out = record if record is not None and member.ejected else None
    waits = out.ejection.until if out is not None and out.ejection.state is State.EJECTED else None
    return ServerStatus(
        address=str(member.endpoint),
        up=member.up,
        draining=member.draining,
        weight=member.weight,
        connections=member.connections,
        why=probe.why,
        rise=probe.verdict.rise,
        ejected=out.reason if out is not None else "",
        ejected_seconds=max(waits - now, 0.0) if waits is not None else 0.0,
        listed=entry.listed,
        configured_weight=entry.server.weight,
        configured_as=str(entry.server.address),
        bytes_to_server=traffic[Direction.TO_SERVER].bytes,
        bytes_to_client=traffic[Direction.TO_CLIENT].bytes,
        max_connections=entry.server.max_connections or 0,
    )


def _row(match: Match, now: float) -> ConnectionRow:
    client, vip = match.ends
    return ConnectionRow(
        client=str(client),
        vip=str(vip),
        server=str(match.server) if match.server is not None else "",
        pool=match.pool or "",
        state=match.phase.value,
        age_seconds=now - match.started,
    )


def snapshot(
    parts: Parts,
    splicer: Splicer,
    fastpath: FastPath,
    health: Health,
    host: Host,
    reloads: Mapping[str, int],
    found: Found,
    access_log: AccessLog | None = None,
) -> Snapshot:
    """The numbers of one scrape."""
    probes = {id(probe.member): probe for probe in parts.probes}
    counters = fastpath.counters()
    return Snapshot(
        statistics=splicer.statistics,
        counters=counters,
        tally=splicer.tally(counters),
        switch=host.statistics(),
        pools={service.name: list(service.pools) for service in parts.services},
        servers=[
            _sample(pool.name, probes[id(member)], health) for pool in parts.pools.values() for member in pool.members
        ],
        splices=splicer.splice_count,
        capacity=fastpath.limits.capacity,
        kind=parts.config.fastpath.kind,
        reloads=reloads,
        resolutions=found.resolutions,
        file_reads=found.reads,
        queued=splicer.queued,
        log_lines={} if access_log is None else {"written": access_log.written, "lost": access_log.lost},
    )


def _sample(pool: str, probe: Probe, health: Health) -> ServerSample:
    member, record = probe.member, health.record(probe.member)
    return ServerSample(
        pool=pool,
        address=str(member.endpoint),
        id=member.id,
        up=member.up,
        connections=member.connections,
        ejected=member.ejected,
        ejections=dict(record.ejections) if record is not None else {},
        probe_failures=dict(probe.failures),
        panic=member.panic,
        weight=member.weight,
        draining=member.draining,
    )
