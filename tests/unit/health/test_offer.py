"""What clients are offered of what servers have."""

from __future__ import annotations

import pytest

from fastpath.records import Limits, Offer, Pivot
from slowpath.health.offer import common, toward
from slowpath.wire.ip import IPV4, IPV6, Family

LIMITS = Limits(1, timestamps=True, pivot=Pivot.EXACT, ipv6=True, snat=True, answers_syns=True)


@pytest.mark.parametrize(
    ("client", "server", "mss", "offered"),
    [
        (IPV4, IPV4, 1460, 1460),
        (IPV6, IPV6, 1440, 1440),
        (IPV6, IPV4, 1460, 1440),
        (IPV4, IPV6, 1440, 1440),
        (IPV6, IPV4, 540, 536),
    ],
    ids=["4 to 4", "6 to 6", "6 to 4", "4 to 6", "the least"],
)
def test_segments_fit_the_path_of_the_server(client: Family, server: Family, mss: int, offered: int) -> None:
    offer = Offer(mss=mss, window_scale=7, sack=True)
    assert toward(client, server, offer) == Offer(mss=offered, window_scale=7, sack=True)


def test_the_least_of_servers_of_both_versions_is_offered() -> None:
    offers = [toward(IPV6, IPV4, Offer(mss=1460)), toward(IPV6, IPV6, Offer(mss=1440))]
    assert common(offers, LIMITS).mss == 1440
