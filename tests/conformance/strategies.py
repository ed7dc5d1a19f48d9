"""Hypothesis strategies for splices, packets and frames, biased to the edges where rewrites go wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from fastpath.frame import Action, InjectFlags
from fastpath.profile import HOST, SWITCH, Profile
from fastpath.records import Direction, Precedent, Splice
from slowpath.wire.endpoint import Endpoint
from tests.conformance import packets
from tests.conformance.checks import Scenario
from tests.conformance.packets import ACK, FIN, PSH, RST, SYN, Tcp
from tests.conformance.target import ADDRESSES, CLIENT_PORT, NEXT_HOPS, PORTS, SERVER_PORT, Rules
from tests.conformance.vectors.icmp import error, error_packet
from tests.conformance.vectors.ipv6_model import (
    FOUR_TO_SIX,
    PLAIN6,
    RULES6,
    SERVER6,
    SIX_TO_FOUR,
    STRANGER6,
    TO_NOWHERE6,
    VIP6,
    extension,
    fragment,
)
from tests.conformance.vectors.model import (
    FAR_CLIENT,
    FROM_NOWHERE,
    PLAIN,
    RULES,
    SERVER,
    SNATTED,
    STRANGER,
    TO_NOWHERE,
    VIP,
    Arrival,
    Injection,
    Stimulus,
)
from tests.conformance.vectors.precedents import FOR_EVER, LABEL, OTHER_LABEL
from tests.conformance.vectors.tunnels import TUNNELLED

_U32 = 2**32 - 1
_EDGES = (0, 1, 2, 0xFFFF, 0x1_0000, 0xFFFF_0000, 0x7FFF_FFFF, 0x8000_0000, _U32 - 1, _U32)

numbers = st.sampled_from(_EDGES) | st.integers(0, _U32)
"""32-bit numbers: SEQ, ACK, timestamps, deltas."""


def _splices_like(splice: Splice, profile: Profile = HOST) -> st.SearchStrategy[Splice]:
    return st.builds(
        replace,
        st.just(splice),
        delta=numbers,
        timestamp_delta=numbers if profile.timestamps else st.just(0),
        pivot=st.none() | st.sampled_from(_EDGES) | numbers,
        follows_precedents=st.booleans() if profile is HOST else st.just(False),
    )


splices = st.sampled_from((PLAIN, SNATTED)).flatmap(_splices_like)
"""Splices of either mode between networks that have routes."""


_IPV4 = (PLAIN, SNATTED, TO_NOWHERE, FROM_NOWHERE)
_IPV6 = (PLAIN6, TO_NOWHERE6, SIX_TO_FOUR, FOUR_TO_SIX)


def _rules(profile: Profile) -> st.SearchStrategy[Rules]:
    if profile is SWITCH:
        splices = st.tuples(*(_splices_like(splice, profile) for splice in _IPV4))
        return st.builds(replace, st.just(RULES), splices=splices, next_hops=st.sampled_from((NEXT_HOPS, TUNNELLED)))
    splices = st.tuples(*(_splices_like(splice, profile) for splice in (*_IPV4, *_IPV6)))
    return splices.flatmap(
        lambda chosen: st.builds(
            replace, st.just(RULES6), splices=st.just(chosen), precedents=st.lists(_precedents(chosen)).map(tuple)
        )
    )


def _precedents(splices: Sequence[Splice]) -> st.SearchStrategy[Precedent]:
    def of(splice: Splice) -> st.SearchStrategy[Precedent]:
        return st.builds(
            Precedent,
            st.just(splice.flow.vip),
            st.just(splice.server),
            st.sampled_from((splice.server_id,) * 3 + (splice.server_id + 1,)),
            st.sampled_from(_HEADS),
            st.sampled_from((LABEL, OTHER_LABEL)),
            st.sampled_from((FOR_EVER,) * 3 + (0.0,)),
        )

    return st.sampled_from(splices).flatmap(of)


_sacks = (
    st.integers(1, 4).flatmap(lambda count: st.tuples(*[numbers] * (2 * count))).map(lambda edges: packets.sack(*edges))
)
_good_options = st.one_of(
    st.builds(packets.timestamps, numbers, numbers),
    _sacks,
    st.integers(1, 3).map(packets.nops),
    st.sampled_from((b"\2\4\5\xb4", b"\3\3\7", b"\4\2", b"\xfe\4ab", b"\xc8\2")),
)
_bad_options = st.sampled_from((b"\x08\0", b"\x05\x02", b"\x05\x0e", b"\x08\x0b", b"\0\x08", b"\xfe\1")) | st.binary(
    max_size=12
)


def _fit(pieces: list[bytes]) -> bytes:
    """As many of `pieces` as fit, padded."""
    area = b""
    for piece in pieces:
        if len(area) + len(piece) <= 40:
            area += piece
    return area + packets.nops(-len(area) % 4)


_any_layout = st.lists(_good_options, max_size=5).map(_fit)
_linux_timestamps = st.just(b"") | st.builds(packets.timestamps, numbers, numbers).map(packets.nops(2).__add__)
_linux_sacks = st.just(b"") | _sacks.map(packets.nops(2).__add__)
_linux_layout = st.builds(bytes.__add__, _linux_timestamps, _linux_sacks).filter(lambda area: len(area) <= 40)
well_formed_options = _linux_layout | _any_layout
"""Option areas of 0..40 bytes: as Linux emits them, or in any order and alignment."""
_options = well_formed_options | st.lists(_good_options | _bad_options, max_size=5).map(_fit)

_FLAGS = (ACK, ACK, ACK | PSH, ACK | FIN, FIN, RST, RST | ACK, SYN, SYN | ACK, 0, 0xFF)
_flags = st.sampled_from(_FLAGS) | st.integers(0, 255)
_errors = st.sampled_from((0, 0, 0, 1, 0xFFFE)) | st.integers(0, 0xFFFE)
_ports = st.sampled_from(PORTS)
_OTHER_ETHER_TYPES = (packets.ARP, packets.IPV4, packets.IPV6)
_STRANGE_ADDRESSES = (b"\xff" * 6, bytes.fromhex("02000000c0aa"), *ADDRESSES.values())
_addresses = st.sampled_from((None,) * 12 + _STRANGE_ADDRESSES)
"""The destination of a frame where it is not, or need not be, the port's."""
_FRAGMENT = 44
_TALKATIVE = {splice.flow for splice in (PLAIN, PLAIN6, SIX_TO_FOUR, FOUR_TO_SIX)}
_lengths = st.sampled_from((8, 8, 16, 264))
_MAPPED = Endpoint.parse("[::ffff:10.1.0.2]:40000")
_HEADS = (b"a", b"ab", bytes(9), bytes(range(70)))
_DISTANCES = (0, 0, 0, *(len(one) + len(other) for one in (b"", *_HEADS) for other in _HEADS), -1)
"""From the pivot: there, and where it is behind one request or two."""
_inject_flags = st.sampled_from((InjectFlags.NONE, InjectFlags.EXPECT_REPLY))


@st.composite
def spliced_packets(draw: st.DrawFn, splice: Splice, direction: Direction) -> Tcp:
    """A packet that `splice` translates in `direction`: whole, well-formed, its checksums right or wrong."""
    match = splice.translations()[direction].match
    return Tcp(
        source=match.source,
        destination=match.destination,
        sequence=draw(numbers),
        acknowledgment=draw(numbers),
        flags=draw(_flags) & ~SYN,
        window=draw(st.integers(0, 0xFFFF)),
        urgent=draw(st.integers(0, 0xFFFF)),
        reserved=draw(st.integers(0, 15)),
        options=draw(well_formed_options),
        payload=draw(st.binary(max_size=40)),
        ttl=draw(st.integers(2, 255)),
        tos=draw(st.integers(0, 255)),
        flow_label=draw(st.integers(0, 2**20 - 1)),
        identification=draw(st.integers(0, 0xFFFF)),
        padding=draw(st.binary(max_size=6)),
        ip_error=draw(_errors),
        tcp_error=draw(_errors),
    )


_SOURCES = (STRANGER, STRANGER, SERVER, VIP)
_DESTINATIONS = (VIP, FAR_CLIENT, SERVER, STRANGER, Endpoint(VIP.address, 81))
_SOURCES6 = (STRANGER6, STRANGER6, SERVER6, VIP6, _MAPPED)
_DESTINATIONS6 = (VIP6, SERVER6, STRANGER6, Endpoint(VIP6.address, 81), _MAPPED)


@st.composite
def _chains(draw: st.DrawFn) -> tuple[int, bytes]:
    """Extension headers: the number of the first one, and all of them."""
    kinds = draw(st.lists(st.sampled_from((0, 43, 44, 60)), min_size=1, max_size=5))
    headers, following = b"", draw(st.sampled_from((6,) * 9 + (17,)))
    for kind in reversed(kinds):
        headers = (fragment(following) if kind == _FRAGMENT else extension(following, draw(_lengths))) + headers
        following = kind
    return following, headers


@st.composite
def _any_packets(draw: st.DrawFn, rules: Rules) -> Tcp:
    """A packet of a splice or next to one, with each defect rare enough that the later decisions are reached, too."""
    splice = draw(st.sampled_from(rules.splices))
    direction = draw(st.sampled_from(Direction))
    packet = draw(spliced_packets(splice, direction))
    near_pivot = st.integers(-60, 20).map(lambda offset: ((splice.pivot or 0) + offset) % 2**32)
    changes: dict[str, st.SearchStrategy[object]] = {
        "flags": _flags,
        "options": _options,
        "sequence": near_pivot,
        "ttl": st.sampled_from((0, 1, 2)),
        "source": st.sampled_from(_SOURCES6 if packet.is_ipv6 else _SOURCES),
        "destination": st.sampled_from(_DESTINATIONS6 if packet.is_ipv6 else _DESTINATIONS),
        "fragment": st.sampled_from((0, 0x2000, 0x4001, 0x8000)),
        "protocol": st.sampled_from((1, 17, 43, 44, 59, 60)),
        "ip_options": st.integers(1, 10).map(lambda words: bytes(4 * words)),
        "chain": _chains(),
        "data_offset": st.integers(0, 15),
        "header_words": st.integers(0, 15),
        "total_length": st.integers(0, 120),
        "version": st.sampled_from((4, 5, 6)),
    }
    # Extension headers in the place of IPv4 options.
    del changes["ip_options" if packet.is_ipv6 else "chain"]
    names = draw(st.lists(st.sampled_from(sorted(changes)), max_size=2, unique=True))
    changed: dict[str, object] = {name: draw(changes[name]) for name in names}
    if "chain" in changed:
        changed["protocol"], changed["ip_options"] = changed.pop("chain")  # type: ignore[misc]
    return replace(packet, **changed)  # type: ignore[arg-type]


@st.composite
def _icmp(draw: st.DrawFn, rules: Rules) -> Stimulus:
    """An ICMP error, or nearly one, about a packet that left through a splice, or nearly did."""
    splice, direction = draw(st.sampled_from(rules.splices)), draw(st.sampled_from(Direction))
    sent = splice.translations()[direction].becomes
    packet = draw(_any_packets(rules)) if draw(st.integers(0, 2)) == 0 else Tcp(source=sent[0], destination=sent[1])
    quote = packet.packet()
    message = error(quote[: draw(st.integers(24, len(quote)))], draw(st.integers(0, 12)), wrong=draw(_errors))
    changes: dict[str, object] = {"fragment": 0x2000, "protocol": 17, "ttl": 1, "padding": b"pad", "total_length": 50}
    names = draw(st.lists(st.sampled_from(sorted(changes)), max_size=1))
    message = replace(message, **{name: changes[name] for name in names})  # type: ignore[arg-type]
    port = draw(_ports)
    return Arrival(port, packets.arriving(error_packet(message), port, message.ether_type))


@st.composite
def _stimuli(draw: st.DrawFn, rules: Rules, profile: Profile) -> Stimulus:
    if draw(st.integers(0, 11)) == 0:
        return draw(_icmp(rules))
    packet = draw(_any_packets(rules))
    data = packet.packet()
    # A route is left to well-formed headers: what a kernel's own lookup says about others is not the target's.
    if draw(st.integers(0, 9)) == 0:
        whole = replace(packet, header_words=None, total_length=None, version=None, fragment=0x4000)
        return Injection(whole.injected(Action.ROUTE, 0xFFFF, draw(_inject_flags)))
    cut = draw(st.integers(1, len(data)) if draw(st.integers(0, 9)) == 0 else st.just(len(data)))
    data = data[:cut]
    ether_type = draw(st.sampled_from((packet.ether_type,) * 27 + _OTHER_ETHER_TYPES))
    if draw(st.integers(0, 3)):
        natural = CLIENT_PORT if packet.destination in (VIP, VIP6) else SERVER_PORT
        port = draw(st.just(natural) | _ports)
        frame = packets.arriving(data, port, ether_type)
        # A host leaves frames for others to the kernel, which a target cannot be compared in.
        address = draw(_addresses) if profile is SWITCH else None
        return Arrival(port, frame if address is None else address + frame[6:])
    action = draw(st.sampled_from((Action.TRANSLATE,) * 5 + (Action.EMIT, 3, 255)))
    port = draw(st.sampled_from((*PORTS * 3, 2, 0x0100, 0xFFFF)))
    frame = packets.cpu_frame(action, port, data, ether_type=ether_type)
    broken = draw(st.sampled_from((None,) * 8 + (0, 5)))
    return Injection(frame if broken is None else frame[:broken] + b"\x4d" + frame[broken + 1 :])


@st.composite
def _conversation(draw: st.DrawFn, splice: Splice) -> Stimulus:
    """A packet of a connection that has little to say, so that FINs and what acknowledges them meet."""
    direction = draw(st.sampled_from(Direction))
    match = splice.translations()[direction].match
    sent, got = draw(st.integers(0, 2)), draw(st.integers(0, 4))
    client, server = 2**32 - 2, 7000
    toward_server = direction is Direction.TO_SERVER
    packet = Tcp(
        source=match.source,
        destination=match.destination,
        sequence=((client if toward_server else server) + sent) % 2**32,
        acknowledgment=((server + splice.delta if toward_server else client) + got) % 2**32,
        flags=draw(st.sampled_from((ACK, ACK, ACK | FIN, ACK | FIN, FIN, RST | ACK))),
        payload=draw(st.binary(max_size=2)),
    )
    port = CLIENT_PORT if toward_server else SERVER_PORT
    return Arrival(port, packet.arriving(port))


@st.composite
def _request(draw: st.DrawFn, splice: Splice) -> Stimulus:
    """A request at the pivot of a splice, or close to it; the answers are in its ACKs alone."""
    client, vip = splice.flow
    packet = Tcp(
        source=client,
        destination=vip,
        sequence=((splice.pivot or 0) + draw(st.sampled_from(_DISTANCES))) % 2**32,
        acknowledgment=draw(st.sampled_from((2**32 - 1, 0, 1, 2, 700))),
        flags=draw(st.sampled_from((ACK | PSH, ACK | PSH, ACK | PSH, ACK, ACK | FIN, PSH))),
        payload=draw(st.sampled_from(_HEADS)),
        ttl=draw(st.sampled_from((64, 64, 64, 1))),
    )
    if draw(st.integers(0, 9)) == 0:
        return Injection(packet.injected(Action.TRANSLATE, CLIENT_PORT))
    return Arrival(CLIENT_PORT, packet.arriving(CLIENT_PORT))


def _talkative(rules: Rules) -> st.SearchStrategy[Splice]:
    """Splices that lead somewhere, from a client that frames arrive from."""
    return st.sampled_from([splice for splice in rules.splices if splice.flow in _TALKATIVE])


@st.composite
def scenarios(draw: st.DrawFn, profile: Profile) -> Scenario:
    """Rules that a target of `profile` takes, and a few frames that meet them."""
    rules = draw(_rules(profile))
    about_one = draw(st.sampled_from((None, None, None, _conversation, _request)))
    stimuli = _stimuli(rules, profile) if about_one is None else about_one(draw(_talkative(rules)))
    return Scenario(rules, tuple(draw(st.lists(stimuli, min_size=4, max_size=12))))
