"""Where the access log goes: files that are moved away, places that cannot be written, syslog, nowhere."""

from __future__ import annotations

import json
import re
import signal
import socket
from pathlib import Path

from deploy.laboratory import VIP, Laboratory
from deploy.laboratory.namespace import wait_until
from tests.e2e.clients import curl
from tests.e2e.keep_alive import kept_alive, servers_of

_PATIENCE = 10.0


def lines_of(path: Path, count: int) -> list[str]:
    """The lines of a log once there are as many as `count`."""
    wait_until(lambda: path.exists() and len(path.read_text().splitlines()) >= count, _PATIENCE, f"{path} has lines")
    return path.read_text().splitlines()


def test_a_file_that_is_moved_away(laboratory: Laboratory, tmp_path: Path) -> None:
    log, old = tmp_path / "access.log", tmp_path / "access.log.1"
    run = laboratory.run(laboratory.config(access_log={"format": "combined", "output": str(log)}))
    curl(laboratory, "/1k?before", "-e", "http://a/")
    (line,) = lines_of(log, 1)
    assert re.fullmatch(
        r'10\.1\.0\.\d+ - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET /1k\?before HTTP/1\.1" - \d+ '
        r'"http://a/" "curl/[0-9.]+" web [0-9.]+:80 \d+ 0\.\d+ 0\.\d+ closed',
        line,
    )
    log.rename(old)
    run.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: curl(laboratory, "/1k?after").status == 200 and log.exists(), _PATIENCE, "a new file is there")
    assert all("?after" in line for line in lines_of(log, 1))
    assert run.stop() == 0, run.log_tail()


def test_connections_that_are_open_when_it_stops(laboratory: Laboratory, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    run = laboratory.run(laboratory.config(access_log=str(log), timeouts={"drain": "100ms"}))
    with kept_alive(laboratory) as client:
        assert servers_of(client, ["/1k"])
        assert run.stop() == 0, run.log_tail()
    line = json.loads(log.read_text())
    assert line["ended"] == "stopped"
    assert 1024 < line["bytes_out"] < 1500


def test_a_place_that_cannot_be_written(laboratory: Laboratory, tmp_path: Path) -> None:
    directory = tmp_path / "later"
    run = laboratory.run(laboratory.config(access_log=str(directory / "access.log")))
    assert curl(laboratory, "/1k").status == 200
    wait_until(lambda: run.metrics().total("l7lb_access_log_lines_total", result="lost") == 1, _PATIENCE, "it is lost")
    assert "the access log cannot be written" in run.said()
    directory.mkdir()
    assert curl(laboratory, "/1k?now").status == 200
    assert "?now" in lines_of(directory / "access.log", 1)[0]
    assert run.stop() == 0, run.log_tail()


def test_syslog_of_one_listener_of_two(laboratory: Laboratory, tmp_path: Path) -> None:
    document = laboratory.default_config()["listeners"]
    document["quiet"] = document["web"] | {"address": f"{VIP}:81", "access_log": False}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(tmp_path / "log"))
        daemon.settimeout(_PATIENCE)
        output = {"syslog": str(tmp_path / "log")}
        run = laboratory.run(laboratory.config(listeners=document, access_log={"output": output}))
        assert curl(laboratory, "/1k?quiet", address=f"{VIP}:81").status == 200
        assert curl(laboratory, "/1k?web").status == 200
        said = daemon.recv(65536).decode()
        assert said.startswith("<134>l7lb: {")
        assert json.loads(said.partition(" ")[2])["target"] == "/1k?web"
        assert run.stop() == 0, run.log_tail()
