"""The access log (docs/configuration.md, access_log)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, PlainValidator

from slowpath.control.config.section import Section
from slowpath.control.config.values import choice, endpoint
from slowpath.wire.endpoint import Endpoint


class StandardOutput(NamedTuple):
    """Standard output of the balancer."""


class LogFile(NamedTuple):
    """A file."""

    path: Path


class Syslog(NamedTuple):
    """A syslog daemon: by the path of its datagram socket, or by its UDP address."""

    address: Path | Endpoint


Output = StandardOutput | LogFile | Syslog


def _output(value: object) -> Output:
    """`stdout`, the absolute path of a file, or `{syslog: /dev/log}` or `{syslog: ADDRESS:PORT}`."""
    if value == "stdout":
        return StandardOutput()
    if isinstance(value, str) and value.startswith("/"):
        return LogFile(Path(value))
    if isinstance(value, dict) and list(value) == ["syslog"]:
        where = value["syslog"]
        if isinstance(where, str) and where.startswith("/"):
            return Syslog(Path(where))
        try:
            return Syslog(endpoint(where))
        except ValueError as error:
            raise ValueError(f"syslog is at an absolute path as /dev/log, or ADDRESS:PORT: {error}") from None
    raise ValueError(f"{value!r} is neither stdout nor an absolute path nor {{syslog: /dev/log or ADDRESS:PORT}}")


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise ValueError(f"{value!r} is not a share of the connections: more than 0 and at most 1, as in 0.1")
    return float(value)


def _shorthand(value: object) -> object:
    """A value that is no mapping of these keys is short for `{output: ...}`."""
    return {"output": value} if isinstance(value, str) else value


class AccessLogConfig(Section):
    """Lines of requests: their form, where they go, and of which share of the connections there are any."""

    format: Annotated[str, PlainValidator(choice("json", "combined"))] = "json"
    output: Annotated[Output, PlainValidator(_output)] = StandardOutput()
    sample: Annotated[float, PlainValidator(_number)] = 1.0


AccessLogSection = Annotated[AccessLogConfig, BeforeValidator(_shorthand)]
