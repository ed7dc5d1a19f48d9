"""The named vectors: what each frame must lead to, written down without the code under test."""

from __future__ import annotations

from tests.conformance.vectors import (
    access,
    classification,
    closing,
    icmp,
    injection,
    ipv6,
    mtu,
    precedents,
    switch_closing,
    switch_frames,
    switch_options,
    tcp_options,
    translation,
    tunnels,
    versions,
)
from tests.conformance.vectors.differences import adapted, on_switch

_SHARED = (
    *translation.VECTORS,
    *classification.VECTORS,
    *access.VECTORS,
    *injection.VECTORS,
    *closing.VECTORS,
)

VECTORS = (
    *_SHARED,
    *tcp_options.VECTORS,
    *ipv6.VECTORS,
    *access.VECTORS6,
    *versions.VECTORS,
    *icmp.VECTORS,
    *mtu.VECTORS,
    *precedents.VECTORS,
    *precedents.VECTORS6,
)
"""For targets on a host."""

SWITCH_VECTORS = (
    *adapted((*_SHARED, *tcp_options.WITHOUT_DELTA)),
    *map(
        on_switch,
        (*switch_frames.VECTORS, *switch_options.VECTORS, *switch_closing.VECTORS, *tunnels.VECTORS),
    ),
)
"""For switches."""

REFUSED_BY_SWITCHES = tcp_options.NEEDS_DELTA
"""Those with rules that a switch refuses."""
