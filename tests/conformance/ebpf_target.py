"""The eBPF program in the kernel as a target: BPF_PROG_TEST_RUN in a network namespace of its own."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import TypeVar

from fastpath.ebpf import layout, program_run
from fastpath.ebpf.attachment import SOURCE, load
from fastpath.ebpf.compile import CACHE, compiled
from fastpath.ebpf.libbpf import Object
from fastpath.ebpf.program_run import Ran
from fastpath.ebpf.recordnumbers import GRACE
from fastpath.ebpf.ring_buffer import RingBuffer
from fastpath.interface import Admitted, Closed
from fastpath.profile import HOST
from fastpath.records import (
    Admission,
    Counters,
    Flow,
    Followed,
    Listener,
    NextHop,
    Precedent,
    Splice,
    SynCookies,
    Tuple4,
    Volume,
)
from fastpath.verdict import Dropped, Passed, Punted, Sent, Verdict
from slowpath.wire.ip import IPV4, family_of
from tests.conformance.ebpf_wire import Wire, is_too_short
from tests.conformance.target import ADDRESSES, BOTH_VERSIONS, NARROW, Rules
from tests.unit.ebpf.hosts import Host

_UNSPEC, _SHOT, _REDIRECT = 0xFFFF_FFFF, 2, 7
_COUNTERS = 34
_SPLICES = 2048
_UNKNOWN = -1
_MTU = 9000
_PORTS, _CPU = ("port0", "port1"), "cpu"
_GATEWAYS = ("10.1.255.254", "10.2.255.254", "2001:db8:1:ffff::1", "2001:db8:2:ffff::1")
"""Of BOTH_VERSIONS."""


class EbpfTarget:
    """The compiled program, or a mutant of it, on two interfaces that lead to the suite's next hops."""

    profile = HOST
    tells_port = False

    def __init__(self, source: Path = SOURCE, cache: Path = CACHE) -> None:
        self._program = Object(compiled(source, cache))
        self._host = Host()
        # Without an address of its own the kernel has next to nothing to say on the interfaces.
        self._host.shell("sysctl -q net.ipv6.conf.default.addr_gen_mode=1")
        self._ifindexes = {name: self._interface(name) for name in (*_PORTS, _CPU)}
        for port, address in ADDRESSES.items():
            self._host.shell(f"ip link set {_PORTS[port]} address {address.hex(':')}")
        for hop, gateway in zip(BOTH_VERSIONS, _GATEWAYS, strict=True):
            self._neighbour(hop, gateway)
            self._route(hop, gateway)
        for hop in NARROW:
            gateway = _GATEWAYS[hop.port + (0 if family_of(hop.network[0]) is IPV4 else len(_PORTS))]
            self._route(hop, gateway)
        loaded = load(self._program, _SPLICES, self._ifindexes[_CPU])
        self._tables, self._splices, self._precedents = loaded.tables, loaded.splices, loaded.precedents
        self._admissions, self.blanks = loaded.admissions, loaded.blanks
        self.blanks.fill(time.monotonic_ns())
        self._tables.set_ports([self._ifindexes[name] for name in _PORTS])
        self._programs = dict.fromkeys(_PORTS, self._program.program("l7lb_port"))
        self._programs[_CPU] = self._program.program("l7lb_cpu")
        self._wire = Wire(self._host, self._programs)
        self._turn: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)
        self._closed: list[Closed] = []
        self._now = 0
        self._ring = RingBuffer(self._program.maps["l7lb_events"], self._ended)
        self._servers: set[int] = set()

    def program(self, rules: Rules) -> None:
        assert set(rules.next_hops) <= {*BOTH_VERSIONS, *NARROW}
        # Nothing is under way: records need not rest for longer than it takes.
        self._now += GRACE
        self._splices.remove([splice.flow for splice in self._splices], self._now)
        self._now += GRACE
        self._tables.set_listeners(rules.listeners)
        self._splices.install(rules.splices, self._now)
        self._hold(rules.precedents)
        self._let_go()
        expected = self._program.maps["l7lb_expected"]
        expected.delete_batch([key for key, _ in expected.items()])
        self._servers |= {server.id for server in rules.servers} | {splice.server_id for splice in rules.splices}
        self._clear("l7lb_counters", range(_COUNTERS))
        self._clear("l7lb_servers", [2 * server + direction for server in self._servers for direction in range(2)])
        self.closed()

    def rotate(self, cookies: SynCookies) -> None:
        """Have the program answer SYNs."""
        self._tables.set_cookies(cookies)

    def receive(self, port: int, frame: bytes, segment: int = 0) -> Verdict:
        """Let `frame` arrive; as a super-packet, if `segment` says what bytes of payload its segments have."""
        return self._give(_PORTS[port], frame, segment)

    def receive_twice(self, port: int, frame: bytes) -> None:
        """Let `frame` arrive on two processors at once, as far as there are two."""
        cpus = sorted(os.sched_getaffinity(0))
        running = [self._host.submit(partial(self._run_on, cpu, _PORTS[port], frame)) for cpu in (cpus[0], cpus[-1])]
        for one in running:
            one.result()

    def listen(self, listeners: Sequence[Listener]) -> None:
        """Replace the listeners."""
        self._tables.set_listeners(listeners)

    def hold(self, precedent: Precedent) -> None:
        """Have a precedent besides the rules."""
        path = self._splices.path(precedent.vip, precedent.server, precedent.server_id)
        assert path is not None
        self._precedents.set([(path, precedent)], 0)

    def inject(self, frame: bytes) -> Verdict:
        return self._give(_CPU, frame)

    def admit(self, *admissions: Admission) -> None:
        """Have connections let in."""
        self._clear("l7lb_accepted", {one.label for one in admissions})
        self._admissions.set(admissions, time.monotonic_ns())

    def revoke(self) -> None:
        """Let no admission hold any more."""
        self._admissions.revoke()

    def admissions(self) -> int:
        """How many there are."""
        return len(list(self._program.maps["l7lb_admissions"].items()))

    def hand_over(self, match: Tuple4) -> Admitted | None:
        """Take over a connection that was let in."""
        return self.blanks.hand_over(match, time.monotonic_ns())

    def set_aside(self, number: int) -> None:
        """Have the program look whether a record is to be blank again."""
        self._program.maps["l7lb_ended"].push(layout.resting(number, 0))

    def entries(self) -> dict[bytes, int]:
        """The records of the connections that were let in, by struct ipv4_tuple."""
        return {key: layout.slot_record(value) for key, value in self._program.maps["l7lb_admitted"].items()}

    def remove(self, flow: Flow) -> None:
        """Remove a splice."""
        self._splices.remove([flow], self._now)

    def update(self, splice: Splice) -> None:
        """Replace a splice."""
        self._splices.update([splice], self._now)

    def splices(self) -> list[Splice]:
        """Those that user space owns."""
        return list(self._splices)

    def word(self, number: int, word: int) -> int:
        """A word of a record."""
        return self._splices.records.word(number, word)

    def copied(self, port: int) -> bytes:
        """The frame that was sent besides the one in the verdict."""
        return self._wire.next(_PORTS[port])

    def takes(self, port: int, frame: bytes) -> bool:
        """Whether `frame`, arriving on `port`, ends here without being a drop."""
        before = self.counters()
        name = _PORTS[port]
        result = self._run(name, frame).result
        after = self.counters()
        return result == _SHOT and (after.drops, after.punts) == (before.drops, before.punts)

    def closed(self) -> list[Closed]:
        self._ring.consume()
        closed, self._closed = self._closed, []
        return closed

    def install(self, splice: Splice) -> None:
        """Add a splice to the rules."""
        self._splices.install([splice], self._now)

    def expect(self, match: Tuple4) -> None:
        """Have packets expected."""
        self._tables.expect([match], time.monotonic_ns())

    def withdrawing(self, flow: Flow) -> None:
        """Do the first half of a withdrawal: the packets of the splice's server become expected."""
        match = self._splices.withdrawn(flow)
        assert match is not None
        self.expect(match)

    def expects(self) -> list[bytes]:
        """What is expected, as struct tuples."""
        return [key for key, _ in self._program.maps["l7lb_expected"].items()]

    def traffic(self, flows: Sequence[Flow]) -> Sequence[tuple[Volume, Volume] | None]:
        return [self._splices.carried(flow) for flow in flows]

    def followed(self, flow: Flow) -> Followed | None:
        return self._splices.followed(flow)

    def counters(self) -> Counters:
        counters = self._tables.counters(self._servers)
        return replace(counters, followed=self._precedents.counted(), admitted=self._admissions.counted())

    def close(self) -> None:
        self._wire.close()
        self._ring.close()
        self._splices.close()
        self._program.close()
        self._host.close()

    def _let_go(self) -> None:
        """Have no admissions, and no connections that were let in."""
        self._admissions.revoke()
        admitted, declined = (self._program.maps[name] for name in ("l7lb_admitted", "l7lb_declined"))
        declined.delete_batch([key for key, _ in declined.items()])
        for number in set(self.entries().values()):
            self._splices.records.set(number, layout.FLAGS, layout.BLANK)
            self._program.maps["l7lb_blanks"].push(layout.resting(number, 0))
        admitted.delete_batch([key for key, _ in admitted.items()])
        self.blanks.fill(self._now)

    def _hold(self, precedents: Sequence[Precedent]) -> None:
        self._precedents.revoke()
        numbered = [(self._splices.path(one.vip, one.server, one.server_id), one) for one in precedents]
        self._precedents.set([(path, one) for path, one in numbered if path is not None], 0)
        self._clear("l7lb_followed", {one.label for one in precedents} | self._precedents.counted().keys())

    def _give(self, name: str, frame: bytes, segment: int = 0) -> Verdict:
        before = self.counters()
        if is_too_short(frame):
            verdict = self._wire.give(name, frame, lambda: self.counters() != before)
            return verdict or Dropped(_counted(before.drops, self.counters().drops)[0])
        result, out, _ = self._run(name, frame, segment)
        after = self.counters()
        punts, drops = _counted(before.punts, after.punts), _counted(before.drops, after.drops)
        if result == _REDIRECT and not drops:
            return Punted(punts[0], out) if punts else Sent(_UNKNOWN, out)
        assert out == frame, "a frame that goes no further was changed"
        assert not punts
        if result == _SHOT:
            assert drops, "a frame was dropped, and not counted"
            return Dropped(drops[0])
        assert result == _UNSPEC and not drops
        return Passed()

    def _run(self, name: str, frame: bytes, segment: int = 0) -> Ran:
        return self._host.run(partial(program_run.run, self._programs[name], self._ifindexes[name], frame, segment))

    def _run_on(self, cpu: int, name: str, frame: bytes) -> None:
        # Where programs do run, none begins on a processor before another has ended.
        with self._turn[cpu]:
            before = os.sched_getaffinity(0)
            os.sched_setaffinity(0, {cpu})
            program_run.run(self._programs[name], self._ifindexes[name], frame)
            os.sched_setaffinity(0, before)

    def _ended(self, data: bytes) -> None:
        self._closed += self._splices.ended(*layout.event(data))

    def _clear(self, name: str, indexes: Iterable[int]) -> None:
        table = self._program.maps[name]
        for index in indexes:
            value = table.lookup(layout.number(index))
            assert value is not None
            table.update(layout.number(index), bytes(len(value)))

    def _interface(self, name: str) -> int:
        """Create an interface; returns its ifindex."""
        self._host.shell(
            f"ip link add {name} mtu {_MTU} type veth peer name peer-{name} mtu {_MTU}",
            f"ip link set {name} up",
            f"ip link set peer-{name} up",
        )
        return self._host.run(partial(socket.if_nametoindex, name))

    def _neighbour(self, hop: NextHop, gateway: str) -> None:
        """Put the next hop `hop` behind its port."""
        name = _PORTS[hop.port]
        self._host.shell(
            f"ip neigh add {gateway} lladdr {hop.destination_mac.hex(':')} dev {name} nud permanent",
            f"sysctl -q net.ipv{ip_network(hop.network).version}.conf.{name}.forwarding=1",
        )

    def _route(self, hop: NextHop, gateway: str) -> None:
        # Only an MTU that is locked holds for what is forwarded.
        mtu = "" if hop.mtu is None else f"mtu lock {hop.mtu}"
        self._host.shell(f"ip route add {ip_network(hop.network)} via {gateway} dev {_PORTS[hop.port]} onlink {mtu}")


_K = TypeVar("_K")


def _counted(before: Mapping[_K, int], after: Mapping[_K, int]) -> list[_K]:
    """What was counted in between."""
    return [key for key in after if after[key] > before[key]]
