"""The access log in the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from slowpath.accesslog.sinks import File, StandardOutput, Syslog
from slowpath.control import access_logs
from slowpath.control.config import AccessLogConfig, Config, ConfigError, load
from slowpath.control.config.access_log import LogFile
from slowpath.control.config.access_log import StandardOutput as ToStandardOutput
from slowpath.control.config.access_log import Syslog as ToSyslog
from slowpath.wire.endpoint import Endpoint


def config(directory: Path, section: object, *, logged: bool = True) -> Config:
    document: dict[str, Any] = {
        "fastpath": {"interfaces": ["eth0"]},
        "access_log": section,
        "listeners": {"web": {"address": "10.1.0.100:80", "default": "web", "access_log": logged}},
        "pools": {"web": {"servers": ["10.2.0.2:80"]}},
    }
    path = directory / "l7lb.yaml"
    path.write_text(yaml.safe_dump(document))
    return load(path)


def section(directory: Path, access_log: object) -> AccessLogConfig:
    found = config(directory, access_log).access_log
    assert found is not None
    return found


def test_none_is_written_without_the_section(tmp_path: Path) -> None:
    assert config(tmp_path, None).access_log is None
    assert access_logs.start(None, lambda: 0.0) is None


@pytest.mark.parametrize(
    ("value", "output"),
    [
        ({}, ToStandardOutput()),
        ("stdout", ToStandardOutput()),
        ("/var/log/a", LogFile(Path("/var/log/a"))),
        ({"output": "/var/log/a"}, LogFile(Path("/var/log/a"))),
        ({"output": {"syslog": "/dev/log"}}, ToSyslog(Path("/dev/log"))),
        ({"output": {"syslog": "[::1]:514"}}, ToSyslog(Endpoint.parse("[::1]:514"))),
    ],
)
def test_outputs(tmp_path: Path, value: object, output: object) -> None:
    read = section(tmp_path, value)
    assert (read.output, read.format, read.sample) == (output, "json", 1.0)


def test_format_and_sample(tmp_path: Path) -> None:
    read = section(tmp_path, {"format": "combined", "sample": 0.1})
    assert (read.format, read.sample) == ("combined", 0.1)
    assert not config(tmp_path, {}, logged=False).listeners["web"].access_log


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"format": "xml"}, "access_log.format: 'xml' is unknown"),
        ({"output": "access.log"}, "access_log.output: 'access.log' is neither stdout nor an absolute path nor"),
        ("access.log", "access_log.output: 'access.log' is neither stdout nor an absolute path nor"),
        (
            {"output": {"syslog": "here"}},
            "access_log.output: syslog is at an absolute path as /dev/log, or ADDRESS:PORT",
        ),
        ({"output": {"file": "/a"}}, "is neither stdout nor an absolute path nor {syslog: /dev/log or ADDRESS:PORT}"),
        ({"sample": 0}, "access_log.sample: 0 is not a share of the connections: more than 0 and at most 1"),
        ({"sample": 2}, "access_log.sample: 2 is not a share"),
        ({"sample": True}, "access_log.sample: True is not a share"),
        ({"sample": "10%"}, "access_log.sample: '10%' is not a share"),
        ({"ouput": "stdout"}, "access_log.ouput: unknown key: did you mean 'output'"),
        (3, "access_log: is a mapping"),
    ],
)
def test_mistakes(tmp_path: Path, value: object, why: str) -> None:
    with pytest.raises(ConfigError) as raised:
        config(tmp_path, value)
    assert why in str(raised.value)


@pytest.mark.parametrize(
    ("value", "kind"),
    [("stdout", StandardOutput), ("/nowhere/log", File), ({"output": {"syslog": "127.0.0.1:514"}}, Syslog)],
)
def test_a_log_is_started(tmp_path: Path, value: object, kind: type) -> None:
    log = access_logs.start(section(tmp_path, value), lambda: 0.0)
    assert log is not None
    assert isinstance(log._sink, kind)
    log.close()
