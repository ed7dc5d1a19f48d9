"""From the configuration of the access log to the log."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path

from slowpath.accesslog.formats import FORMATS
from slowpath.accesslog.log import AccessLog
from slowpath.accesslog.sinks import File, Sink, StandardOutput, Syslog
from slowpath.control.config import AccessLogConfig
from slowpath.control.config.access_log import LogFile, Output
from slowpath.control.config.access_log import Syslog as SyslogOutput


def start(config: AccessLogConfig | None, random: Callable[[], float]) -> AccessLog | None:
    """The log that is asked for, with its thread running; None for none. `random` gives numbers from 0 up to 1."""
    return None if config is None else AccessLog(FORMATS[config.format], _sink(config.output), random)


def _sink(output: Output) -> Sink:
    if isinstance(output, LogFile):
        return File(output.path)
    if isinstance(output, SyslogOutput):
        where = output.address
        if isinstance(where, Path):
            return Syslog(str(where))
        return Syslog((str(ipaddress.ip_address(where.address)), where.port))
    return StandardOutput()
