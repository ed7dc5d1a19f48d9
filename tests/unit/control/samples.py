"""A snapshot with a different number in every metric."""

from __future__ import annotations

from fastpath.pipeline.statistics import Statistics as SwitchStatistics
from fastpath.records import Counters, Drop, Reason, Traffic
from slowpath.control.metrics import ServerSample, Snapshot
from slowpath.splicing.statistics import Statistics
from slowpath.splicing.tally import Tally


def statistics() -> Statistics:
    counted = Statistics(packets_in=11, packets_out=12)
    counted.responses["web", 404] = 23
    counted.connect_failures["api", "timeout"] = 24
    counted.queued["api"] = 81
    counted.queue_failures["api", "timeout"] = 82
    counted.queue_seconds.observe(0.2, 83)
    counted.limited["web", "request_rate"] = 101
    counted.resets_withheld = 102
    counted.drops["malformed"] = 25
    counted.drops["out_of_order"] = 26
    for seconds in (0.0001, 0.003, 0.003, 60.0):
        counted.connect_seconds.observe(seconds)
    counted.install_seconds.observe(0.0002, 7)
    return counted


def snapshot() -> Snapshot:
    return Snapshot(
        statistics=statistics(),
        tally=Tally({"web": 21}, {("web", "api"): 22}, {("web", "api"): 14}, {("web", "api"): 15}),
        counters=Counters(
            servers={5: (Traffic(31, 310), Traffic(32, 320))},
            punts={Reason.SYN: 33},
            drops={Drop.TTL: 34, Drop.MALFORMED: 35},
            syns_answered=36,
            handshakes=38,
            events_lost=37,
            collisions=13,
        ),
        switch=SwitchStatistics(overrides=71, reconciliations=72, punts_withheld=73),
        pools={"web": ["api", "www"], "alt": ["www"]},
        servers=[
            ServerSample(
                "api",
                "10.2.0.2:80",
                5,
                up=True,
                connections=41,
                ejected=True,
                ejections={"reset": 42},
                probe_failures={"status": 43},
                panic=True,
                weight=44,
                draining=True,
            ),
            ServerSample("www", "10.2.0.3:80", 6, up=False, connections=0),
        ],
        splices=51,
        capacity=4096,
        kind="model",
        reloads={"failure": 61},
        queued={"api": 84},
        resolutions={("api", "failure"): 91, ("api", "success"): 92},
        file_reads={("www", "failure"): 93, ("www", "success"): 94},
    )


def idle() -> Snapshot:
    """Nothing has been counted yet."""
    full = snapshot()
    nothing = SwitchStatistics(overrides=0, reconciliations=0, punts_withheld=0)
    return Snapshot(
        Statistics(),
        Tally({}, {}, {}, {}),
        Counters(),
        nothing,
        full.pools,
        full.servers,
        0,
        full.capacity,
        full.kind,
        {},
        resolutions=dict.fromkeys(full.resolutions, 0),
        file_reads=dict.fromkeys(full.file_reads, 0),
    )
