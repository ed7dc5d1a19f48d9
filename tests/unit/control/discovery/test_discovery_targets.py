"""From entries to addresses."""

from __future__ import annotations

from slowpath.control.config import ServerName
from slowpath.control.discovery.targets import expand, names
from slowpath.wire.endpoint import Endpoint
from tests.unit.control.configurations import configuration

_NAME = ServerName("web.internal", 8080)


def _anything(endpoint: Endpoint) -> None:
    pass


def test_a_name_is_a_server_for_each_of_its_addresses() -> None:
    listed = configuration(
        pools={"web": {"servers": ["10.2.0.1:80", {"address": str(_NAME), "weight": 3}]}}
    ).pools["web"].servers  # fmt: skip
    first, second = Endpoint.parse("10.2.0.8:8080"), Endpoint.parse("10.2.0.9:8080")
    assert names(listed) == [_NAME]
    found = expand(listed, {_NAME: (first, second)}, _anything)
    assert [(str(each.endpoint), each.server.weight) for each in found] == [
        ("10.2.0.1:80", 1), ("10.2.0.8:8080", 3), ("10.2.0.9:8080", 3),
    ]  # fmt: skip


def test_a_name_without_an_answer_is_no_server() -> None:
    listed = configuration(pools={"web": {"servers": [str(_NAME)]}}).pools["web"].servers
    assert expand(listed, {}, _anything) == ()


def test_an_address_belongs_to_the_first_who_lists_it() -> None:
    servers = [{"address": "10.2.0.8:8080", "weight": 2}, str(_NAME), "other.internal:8080"]
    listed = configuration(pools={"web": {"servers": servers}}).pools["web"].servers
    address = (Endpoint.parse("10.2.0.8:8080"),)
    [found] = expand(listed, {_NAME: address, ServerName("other.internal", 8080): address}, _anything)
    assert found.server.weight == 2


def test_only_addresses_that_are_admitted_count() -> None:
    def admit(endpoint: Endpoint) -> None:
        if endpoint.address[3] == 8:
            raise ValueError("not there")

    listed = configuration(pools={"web": {"servers": [str(_NAME)]}}).pools["web"].servers
    answer = [Endpoint.parse("10.2.0.8:8080"), Endpoint.parse("10.2.0.9:8080")]
    [found] = expand(listed, {_NAME: answer}, admit)
    assert str(found.endpoint) == "10.2.0.9:8080"
