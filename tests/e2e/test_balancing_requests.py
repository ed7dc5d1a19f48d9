"""Balancing by what requests say: sticky sessions, hashes, and weights of pools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.laboratory import VIP, Laboratory, Run
from deploy.laboratory.configuration import pool
from deploy.laboratory.namespace import wait_until
from deploy.laboratory.server import PORT
from tests.e2e.clients import curl
from tests.e2e.fastpaths import EVERY_FASTPATH

pytestmark = EVERY_FASTPATH

_STICKY, _HEADER, _COOKIE, _PATH, _CANARY = (f"{VIP}:{port}" for port in range(81, 86))
_TIMEOUT = 10.0


@pytest.fixture(scope="module")
def run(laboratory: Laboratory) -> Iterator[Run]:
    addresses = [server.address for server in laboratory.servers]
    named = [{"address": f"{server.address}:{PORT}", "name": server.name} for server in laboratory.servers]
    pools = {
        "sticky": pool(sticky={"cookie": "route"}, passive=False, servers=named),
        "by_header": pool(*addresses, balance={"hash": {"header": "X-User"}}),
        "by_cookie": pool(*addresses, balance={"hash": {"cookie": "user"}}),
        "by_path": pool(*addresses, balance={"hash": "path"}),
        "stable": pool(*addresses[:3]),
        "canary": pool(addresses[3]),
    }
    listeners = {
        "sticky": {"address": _STICKY, "default": "sticky"},
        "header": {"address": _HEADER, "default": "by_header"},
        "cookie": {"address": _COOKIE, "default": "by_cookie"},
        "path": {"address": _PATH, "default": "by_path"},
        "release": {"address": _CANARY, "default": {"stable": 8, "canary": 2}},
    }
    started = laboratory.run(laboratory.config(listeners=listeners, pools=pools))
    yield started
    assert started.stop() == 0, started.log_tail()


def test_a_session_stays_with_the_server_that_opened_it(laboratory: Laboratory, run: Run, tmp_path: Path) -> None:
    homes = set()
    for user in range(4):
        jar = str(tmp_path / str(user))
        home = curl(laboratory, "/login", "-c", jar, address=_STICKY).server
        homes.add(home)
        assert {curl(laboratory, "/1k", "-b", jar, address=_STICKY).server for _ in range(4)} == {home}
    assert len(homes) == 4


@pytest.mark.parametrize("value", ["0A1B2C.{}", "{}~0A1B2C", '"{}"'])
def test_a_session_id_that_contains_the_name(laboratory: Laboratory, run: Run, value: str) -> None:
    home = laboratory.servers[2].name
    cookie = f"Cookie: theme=dark; route={value.format(home)}"
    assert {curl(laboratory, "/1k", "-H", cookie, address=_STICKY).server for _ in range(4)} == {home}


def test_the_sessions_of_a_lost_server_go_on_elsewhere_and_come_back(laboratory: Laboratory, run: Run) -> None:
    home = laboratory.servers[1]
    cookie = f"Cookie: route={home.name}"
    home.stop()
    try:
        elsewhere = {curl(laboratory, "/1k", "-H", cookie, address=_STICKY).server for _ in range(3)}
        assert elsewhere == {server.name for server in laboratory.servers} - {home.name}
    finally:
        home.start()
    wait_until(
        lambda: curl(laboratory, "/1k", "-H", cookie, address=_STICKY).server == home.name, _TIMEOUT, "it is back"
    )


def test_the_same_value_goes_to_the_same_server(laboratory: Laboratory, run: Run) -> None:
    homes = set()
    for user in "abcdefgh":
        asked = [curl(laboratory, f"/{number}", "-H", f"X-User: {user}", address=_HEADER).server for number in range(3)]
        asked.append(curl(laboratory, "/", "-H", f"Cookie: a=b; user={user}", address=_COOKIE).server)
        asked.append(curl(laboratory, f"/{user}?x=1", address=_PATH).server)
        asked.append(curl(laboratory, f"/{user}?x=2", address=_PATH).server)
        assert len(set(asked[:3])) == 1
        assert asked[4] == asked[5]
        # The three pools have the same servers, and the cookie the same value as the header.
        assert asked[3] == asked[0]
        homes.add(asked[0])
    assert len(homes) > 1


def test_requests_of_one_connection_go_each_to_its_server(laboratory: Laboratory, run: Run) -> None:
    paths = [f"/{letter}" for letter in "abcdef"]
    homes = [curl(laboratory, path, address=_PATH).server for path in paths]
    said = laboratory.client.run(
        [
            *("curl", "-sS", "-m", "10", "-w", "%{num_connects} %header{x-server}\\n"),
            *(word for path in paths for word in ("-o", "/dev/null", f"http://{_PATH}{path}")),
        ]
    )
    assert said.split() == [
        word for path, home in zip(paths, homes, strict=True) for word in (str(int(path == "/a")), home)
    ]


def test_a_drain_leaves_sessions_where_they_are(laboratory: Laboratory, run: Run) -> None:
    home = laboratory.servers[3]
    admin = ("--pool", "sticky", "--admin", str(run.admin))
    run.cli("drain", f"{home.address}:{PORT}", *admin)
    try:
        assert home.name not in {curl(laboratory, "/1k", address=_STICKY).server for _ in range(6)}
        cookie = f"Cookie: route={home.name}"
        assert {curl(laboratory, "/1k", "-H", cookie, address=_STICKY).server for _ in range(3)} == {home.name}
    finally:
        run.cli("undrain", f"{home.address}:{PORT}", *admin)
    assert home.name in {curl(laboratory, "/1k", address=_STICKY).server for _ in range(4)}


def test_without_the_header_a_client_has_its_server(laboratory: Laboratory, run: Run) -> None:
    assert len({curl(laboratory, f"/{number}", address=_HEADER).server for number in range(6)}) == 1


def test_a_canary_gets_its_share(laboratory: Laboratory, run: Run) -> None:
    shares = Counter(curl(laboratory, "/1k", address=_CANARY).server for _ in range(20))
    assert shares[laboratory.servers[3].name] == 4
    assert len(shares) == 4
