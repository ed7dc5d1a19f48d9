"""One vector or scenario held against one target: an AssertionError says where it differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from fastpath.records import Counters, Direction, Flow, Volume
from fastpath.verdict import Dropped, Punted, Sent, Verdict
from tests.conformance.packets import SYN
from tests.conformance.target import Rules, Target
from tests.conformance.vectors.model import (
    CLIENT,
    DOWN,
    PLAIN,
    SERVER,
    SNATTED,
    UP,
    Arrival,
    Stimulus,
    Vector,
    down,
    up,
    with_splice,
)

_UDP = b"\x11"
_VXLAN_PORT = (4789).to_bytes(2, "big")
_DYNAMIC = 0xC0
"""The bits of a UDP source port's first byte that make it a dynamic one."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Frames that a target is given one after the other."""

    rules: Rules
    stimuli: tuple[Stimulus, ...]


def check_vector(target: Target, vector: Vector) -> None:
    """Give `target` the frames of `vector` and compare all it does with the last of them."""
    target.program(vector.rules)
    for stimulus in vector.before:
        give(target, stimulus)
    target.closed()
    before = tally(target.counters())
    verdict = give(target, vector.stimulus)
    assert comparable(target, verdict) == comparable(target, vector.verdict), vector.name
    assert target.closed() == list(vector.closed), vector.name
    assert counted(before, tally(target.counters())) == _expected_counts(vector), vector.name


def check_volumes(target: Target) -> None:
    """Send packets through a splice of `target`, and some that do not go through it, and ask what it has carried."""
    splice = replace(PLAIN, pivot=UP.sequence + 100)
    target.program(with_splice(splice))
    sent = [up(replace(UP, payload=b"x" * 100)), up(replace(UP, payload=b"x" * 30)), up(UP), down(DOWN)]
    sent += [down(replace(DOWN, payload=b"y" * size)) for size in (7, 1400)]
    held = [up(replace(UP, payload=b"x" * 101)), down(replace(DOWN, payload=b"y", ttl=1)), up(replace(UP, flags=SYN))]
    for stimulus in (*sent, *held):
        give(target, stimulus)
    carried = target.traffic([splice.flow, SNATTED.flow, Flow(CLIENT, SERVER)])
    assert carried == [(Volume(3, 130), Volume(3, 1407)), (Volume(0, 0), Volume(0, 0)), None]


def check_scenario(target: Target, reference: Target, scenario: Scenario) -> None:
    """Give both the frames of `scenario` and compare all they do with each."""
    target.program(scenario.rules)
    reference.program(scenario.rules)
    for number, stimulus in enumerate(scenario.stimuli):
        expected, verdict = give(reference, stimulus), give(target, stimulus)
        where = f"frame {number}: {stimulus}"
        assert comparable(target, verdict) == comparable(target, expected), where
        assert target.closed() == reference.closed(), where
        assert tally(target.counters()) == tally(reference.counters()), where
    flows = [splice.flow for splice in scenario.rules.splices]
    assert target.traffic(flows) == reference.traffic(flows)
    assert list(map(target.followed, flows)) == list(map(reference.followed, flows))


def failures(target: Target, vectors: Iterable[Vector]) -> list[str]:
    """The names of the vectors that `target` fails, be it by an exception of its own."""
    failed = []
    for vector in vectors:
        try:
            check_vector(target, vector)
        except Exception:
            failed.append(vector.name)
    return failed


def give(target: Target, stimulus: Stimulus) -> Verdict:
    """What `target` does with `stimulus`."""
    if isinstance(stimulus, Arrival):
        return target.receive(stimulus.port, stimulus.frame)
    return target.inject(stimulus.frame)


def comparable(target: Target, verdict: Verdict) -> Verdict:
    """The verdict as far as `target` can tell it, without the bits of a tunnel's UDP source port that are its own."""
    if not isinstance(verdict, Sent):
        return verdict
    if not target.tells_port:
        return replace(verdict, port=-1)
    return replace(verdict, frame=_without_entropy(verdict.frame))


def _without_entropy(frame: bytes) -> bytes:
    is_tunnel = frame[12:15] == b"\x08\x00\x45" and frame[23:24] == _UDP and frame[36:38] == _VXLAN_PORT
    if not is_tunnel:
        return frame
    return frame[:34] + bytes((frame[34] & _DYNAMIC, 0)) + frame[36:]


def tally(counters: Counters) -> Counter[str]:
    """All counters by name."""
    counts = Counter({"syns_answered": counters.syns_answered, "events_lost": counters.events_lost})
    counts.update({f"punts {reason.name}": count for reason, count in counters.punts.items()})
    counts.update({f"followed {label}": count for label, count in counters.followed.items()})
    counts.update({f"drops {reason.name}": count for reason, count in counters.drops.items()})
    for server_id, traffic in counters.servers.items():
        for direction in Direction:
            counts[f"server {server_id} {direction.name} packets"] = traffic[direction].packets
            counts[f"server {server_id} {direction.name} bytes"] = traffic[direction].bytes
    return counts


def counted(before: Counter[str], after: Counter[str]) -> dict[str, int]:
    """What was counted in between, in either direction."""
    names = before.keys() | after.keys()
    return {name: after[name] - before[name] for name in names if after[name] != before[name]}


def _expected_counts(vector: Vector) -> dict[str, int]:
    followed = {} if vector.followed is None else {f"followed {vector.followed}": 1}
    return followed | _expected_of_verdict(vector)


def _expected_of_verdict(vector: Vector) -> dict[str, int]:
    if isinstance(vector.verdict, Punted):
        return {f"punts {vector.verdict.reason.name}": 1}
    if isinstance(vector.verdict, Dropped):
        return {f"drops {vector.verdict.reason.name}": 1}
    if vector.counted is None:
        return {}
    name = f"server {vector.counted.server_id} {vector.counted.direction.name}"
    return {f"{name} packets": 1, f"{name} bytes": vector.counted.bytes}
