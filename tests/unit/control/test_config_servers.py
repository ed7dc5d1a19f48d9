"""Servers by name and in files, as a configuration gives them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from slowpath.control.config import ConfigError, ServerName, load
from slowpath.wire.endpoint import Endpoint


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "l7lb.yaml"


def write(file: Path, **pool: object) -> None:
    document = {
        "fastpath": {"interfaces": ["eth0"]},
        "listeners": {"web": {"address": "10.1.0.100:80", "default": "web"}},
        "pools": {"web": pool},
    }
    file.write_text(yaml.safe_dump(document))


def problems(file: Path) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load(file)
    return [f"{problem.file.name}: {problem.path}: {problem.message}" for problem in raised.value.problems]


def test_names_and_addresses_go_together(file: Path) -> None:
    write(file, servers=["web.internal:80", {"address": "a_b-c.example.:8080", "weight": 2}, "10.2.0.1:80"])
    assert [server.address for server in load(file).pools["web"].servers] == [
        ServerName("web.internal", 80), ServerName("a_b-c.example.", 8080), Endpoint(bytes((10, 2, 0, 1)), 80),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("web.internal", "is not ADDRESS:PORT"),
        ("web.internal:0", "is not NAME:PORT"),
        ("web.internal:65536", "is not NAME:PORT"),
        (":80", "is not ADDRESS:PORT"),
        ("-web.internal:80", "is not ADDRESS:PORT or NAME:PORT, as in"),
        ("web..internal:80", "is not ADDRESS:PORT or NAME:PORT, as in"),
        ("10.2.0.300:80", "is not ADDRESS:PORT or NAME:PORT, as in"),
        ("10.2.0:80", "is not ADDRESS:PORT or NAME:PORT, as in"),
        (f"{'a' * 64}:80", "is not ADDRESS:PORT or NAME:PORT, as in"),
        (f"{'.'.join(['a' * 60] * 5)}:80", "is not NAME:PORT: up to 253 characters"),
        ({"address": "web.internal:80", "name": "one"}, "name is for one server"),
    ],
)
def test_what_is_no_name_is_refused(file: Path, address: object, message: str) -> None:
    write(file, servers=[address])
    [problem] = problems(file)
    assert problem.startswith("l7lb.yaml: pools.web.servers[0]")
    assert message in problem


def test_a_name_is_listed_once(file: Path) -> None:
    write(file, servers=["web.internal:80", "web.internal:80"])
    [problem] = problems(file)
    assert "web.internal:80 is listed twice" in problem


def test_a_pool_has_one_list(file: Path) -> None:
    write(file, servers=["10.2.0.1:80"], servers_file="servers.yaml")
    assert problems(file) == ["l7lb.yaml: pools.web.servers_file: is given beside servers: use one of them"]
    write(file)
    assert problems(file) == ["l7lb.yaml: pools.web.servers: is required, or servers_file"]


def test_a_file_of_servers_is_found_beside_the_configuration(file: Path, tmp_path: Path) -> None:
    write(file, servers_file="servers.json")
    (tmp_path / "servers.json").write_text('["10.2.0.1:80", {"address": "web.internal:80", "weight": 3}]')
    [first, second] = load(file).pools["web"].listed()
    assert (str(first.address), first.weight) == ("10.2.0.1:80", 1)
    assert (str(second.address), second.weight) == ("web.internal:80", 3)
    (tmp_path / "servers.json").write_text("[]")
    assert load(file).pools["web"].listed() == ()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("web: 10.2.0.1:80", "servers.yaml: : is not a list of servers, as in [10.2.0.2:80, 10.2.0.3:80]"),
        ("", "servers.yaml: : is not a list of servers, as in [10.2.0.2:80, 10.2.0.3:80]"),
        ("[10.2.0.1:80, 10.2.0.1:80]", "servers.yaml: : 10.2.0.1:80 is listed twice: give it a weight of 2 instead"),
        ("[10.1.0.100:80]", "servers.yaml: [0].address: 10.1.0.100:80 is a listener's own address"),
        ("- {address: 10.2.0.1:80, weight: 0}", "servers.yaml: : every weight is 0"),
        ("- {weight: 1}", "servers.yaml: [0].address: is required"),
        ("- [", "servers.yaml: : not YAML"),
    ],
)
def test_a_wrong_file_of_servers_is_refused(file: Path, tmp_path: Path, content: str, expected: str) -> None:
    write(file, servers_file="servers.yaml")
    (tmp_path / "servers.yaml").write_text(content)
    [problem] = problems(file)
    assert problem.startswith(expected)


def test_a_file_that_is_not_there(file: Path) -> None:
    write(file, servers_file="servers.yaml")
    assert problems(file) == ["servers.yaml: : cannot be read: No such file or directory"]


def test_servers_of_a_file_have_names_where_cookies_go_by_them(file: Path, tmp_path: Path) -> None:
    write(file, servers_file="servers.yaml", sticky={"cookie": "JSESSIONID"})
    (tmp_path / "servers.yaml").write_text("- {address: 10.2.0.1:80, name: one}\n- 10.2.0.2:80\n")
    assert problems(file) == ["servers.yaml: : sticky goes by servers' names, and 10.2.0.2:80 has none"]


def test_a_pool_with_a_file_is_the_same_whatever_else_there_is(file: Path, tmp_path: Path) -> None:
    (tmp_path / "servers.yaml").write_text("[]")
    write(file, servers_file="servers.yaml")
    before = load(file)
    document = yaml.safe_load(file.read_text())
    document["listeners"]["more"] = {"address": "10.1.0.101:80", "default": "web"}
    file.write_text(yaml.safe_dump(document))
    assert load(file).pools == before.pools
