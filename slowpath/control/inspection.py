"""What a running instance shows of itself: status, connections, and the numbers behind the metrics."""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib.metadata import version

from fastpath.interface import FastPath
from slowpath.control.assembly import Parts
from slowpath.control.host import Host
from slowpath.control.metrics import ServerSample, Snapshot
from slowpath.control.status import (
    ConnectionRow,
    FastPathStatus,
    ListenerStatus,
    PoolStatus,
    ServerStatus,
    Status,
)
from slowpath.splicing.splicer import Splicer


def status(parts: Parts, splicer: Splicer, fastpath: FastPath, started: float) -> Status:
    """A snapshot for `l7lb status`; `started` is on the monotonic clock."""
    probes = {id(probe.member): probe for probe in parts.probes}
    return Status(
        version=version("l7lb"),
        uptime_seconds=time.monotonic() - started,
        fastpath=FastPathStatus(parts.config.fastpath.kind, splicer.splice_count, fastpath.limits.capacity),
        connections=splicer.connection_count,
        listeners=tuple(
            ListenerStatus(service.name, str(service.endpoint), splicer.statistics.connections[service.name])
            for service in parts.services
        ),
        pools=tuple(
            PoolStatus(
                pool.name,
                parts.config.pools[pool.name].balance,
                tuple(
                    ServerStatus(
                        str(member.endpoint), member.up, member.draining, member.weight, member.connections,
                        probes[id(member)].why,
                    )
                    for member in pool.members
                ),
            )
            for pool in parts.pools.values()
        ),
    )  # fmt: skip


def connections(splicer: Splicer) -> list[ConnectionRow]:
    """Rows for `l7lb connections`, the oldest first."""
    now = time.monotonic()
    return [
        ConnectionRow(
            client=str(connection.flow.client),
            vip=str(connection.flow.vip),
            server=str(connection.member.endpoint) if connection.member is not None else "",
            pool=connection.pool.name if connection.pool is not None else "",
            state=connection.phase.value,
            age_seconds=now - connection.started,
        )
        for connection in sorted(splicer.connections(), key=lambda connection: connection.started)
    ]


def snapshot(parts: Parts, splicer: Splicer, fastpath: FastPath, host: Host, reloads: Mapping[str, int]) -> Snapshot:
    """The numbers of one scrape."""
    return Snapshot(
        statistics=splicer.statistics,
        counters=fastpath.counters(),
        switch=host.statistics(),
        pools={service.name: list(service.pools) for service in parts.services},
        servers=[
            ServerSample(pool.name, str(member.endpoint), member.id, member.up, member.connections)
            for pool in parts.pools.values()
            for member in pool.members
        ],
        splices=splicer.splice_count,
        capacity=fastpath.limits.capacity,
        kind=parts.config.fastpath.kind,
        reloads=reloads,
    )
