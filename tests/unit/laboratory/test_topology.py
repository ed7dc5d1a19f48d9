"""Which hosts a laboratory has and where they are reached."""

from __future__ import annotations

import pytest

from deploy.laboratory import topology
from deploy.laboratory.topology import VIP


def test_clients_are_hosts_of_the_client_network_with_addresses_of_their_own() -> None:
    cables = topology.links(servers=2, arms=2, clients=3)
    clients = [link for link in cables if topology.is_client(link)]
    assert [link.host for link in clients] == ["client", "client2", "client3"]
    assert [topology.host_address(link) for link in clients] == ["10.1.0.2", "10.1.0.3", "10.1.0.4"]
    assert {link.switch for link in clients} == {"clients"}
    assert [link.host for link in cables if topology.is_server(link)] == ["server1", "server2"]


def test_a_full_laboratory_has_no_address_and_no_name_twice() -> None:
    cables = topology.links(topology.MAX_SERVERS, arms=1, clients=topology.MAX_CLIENTS)
    addresses = [address for link in cables for address in link.addresses] + [f"{VIP}/24"]
    assert len(set(addresses)) == len(addresses)
    assert len({link.port for link in cables}) == len(cables)


@pytest.mark.parametrize(
    ("clients", "servers", "message"),
    [(0, 4, "1 to 90 clients, not 0"), (91, 4, "1 to 90 clients, not 91"), (1, 0, "1 to 100 servers, not 0")],
)
def test_numbers_that_do_not_fit_are_refused(clients: int, servers: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        topology.links(servers, arms=2, clients=clients)


def test_hosts_have_ipv6_unless_the_balancer_is_a_switch() -> None:
    cables = topology.links(servers=2, arms=2)
    found = {link.host: topology.host_address6(link) for link in cables if link.host != topology.BALANCER}
    assert found == {"client": "2001:db8:1::2", "server1": "2001:db8:2::11", "server2": "2001:db8:2::12"}
    switched = topology.links(servers=2, arms=2, programmable=True)
    assert not any(link.addresses6 or link.gateway6 for link in switched)
