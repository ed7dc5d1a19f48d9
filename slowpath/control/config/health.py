"""How servers are probed (docs/configuration.md, health)."""

from __future__ import annotations

import re
import ssl
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, PlainValidator, ValidationInfo, model_validator

from slowpath.control.config.context import Context
from slowpath.control.config.section import Section
from slowpath.control.config.values import TOKEN, Count, Duration, HostHeader, RequestPath, choice, text
from slowpath.health.http_check import SUCCESS, Contains, HttpCheck
from slowpath.health.tls_check import TlsCheck
from slowpath.routing.matchers import Regex

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_FIELD_VALUE = re.compile(r"[!-~](?:[ \t!-~]*[!-~])?", re.ASCII)
_STATUSES = re.compile(r"([1-9][0-9]{2})-([1-9][0-9]{2})", re.ASCII)
_FRAMING = frozenset({"host", "content-length", "transfer-encoding"})

_OF_HTTP = ("host", "method", "status", "body", "headers")
"""Keys that say nothing without `http`."""


def status_ranges(value: object) -> tuple[range, ...]:
    """`200`, `200-299` or a list of those."""
    listed = value if isinstance(value, list) else [value]
    if not listed:
        raise ValueError("is empty: name one status at least, as in [200-299, 304]")
    return tuple(_status(item) for item in listed)


def _status(value: object) -> range:
    if isinstance(value, int) and 100 <= value <= 999:
        return range(value, value + 1)
    match = _STATUSES.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[1]) > int(match[2]):
        raise ValueError(f"{value!r} is not a status or a range of them, as in [200-299, 304]")
    return range(int(match[1]), int(match[2]) + 1)


def body_pattern(value: object) -> Contains | Regex:
    """Text that the body contains, or `{regex: PATTERN}`."""
    if isinstance(value, str) and value:
        return Contains(value)
    pattern = value.get("regex") if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(pattern, str):
        raise ValueError(f"{value!r} is neither text (in quotes) nor {{regex: PATTERN}}")
    return Regex(pattern)


def header_fields(value: object) -> tuple[tuple[str, str], ...]:
    """Header fields of a probe, by name."""
    if not isinstance(value, dict) or not value:
        raise ValueError("is a mapping of header names to values, as in {x-probe: '1'}")
    for name, content in value.items():
        if not isinstance(name, str) or not TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} is not a header name")
        if name.lower() in _FRAMING:
            raise ValueError(f"{name}: is not for probes to set" + (", use host" if name.lower() == "host" else ""))
        if not isinstance(content, str) or not _FIELD_VALUE.fullmatch(content):
            raise ValueError(f"{name}: {content!r} is not a header's value: visible ASCII characters, in quotes")
    return tuple(value.items())


def _certificates(value: object, info: ValidationInfo) -> Path:
    """The path of a PEM file with certificates."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is not the path of a file with certificates")
    path = Context.of(info).directory / value
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        raise ValueError(f"{path} has no certificates in PEM format") from None
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    return path


TlsName = Annotated[str, text(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*", "a name of a server, as in www.example.com")]


class TlsProbeConfig(Section):
    """TLS of probes: without `ca` no certificate is verified, without `server_name` none is asked for."""

    server_name: TlsName | None = None
    ca: Annotated[Path | None, PlainValidator(_certificates)] = None


def _tls(value: object) -> object:
    return {True: {}, False: None}.get(value, value) if isinstance(value, bool) else value


class HealthConfig(Section):
    """How a server is probed: a request for the path `http`, a TLS handshake, both, or a TCP handshake alone."""

    http: RequestPath | None = None
    tcp: Annotated[bool, Field(strict=True)] = False
    tls: Annotated[TlsProbeConfig | None, BeforeValidator(_tls)] = None
    host: HostHeader | None = None
    method: Annotated[str, PlainValidator(choice("GET", "HEAD"))] = "GET"
    status: Annotated[tuple[range, ...], PlainValidator(status_ranges)] = SUCCESS
    body: Annotated[Contains | Regex | None, PlainValidator(body_pattern)] = None
    headers: Annotated[tuple[tuple[str, str], ...], PlainValidator(header_fields)] = ()
    port: Annotated[int | None, Field(strict=True, ge=1, le=65535)] = None
    interval: Duration = 2.0
    timeout: Duration = 1.0
    rise: Count = 2
    fall: Count = 3
    flap_half_life: Duration = 60.0

    @model_validator(mode="before")
    @classmethod
    def _tcp_unless_more(cls, value: object) -> object:
        if isinstance(value, dict) and "http" not in value and not value.get("tls"):
            return {"tcp": True} | value
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.tcp == (self.http is not None or self.tls is not None):
            raise ValueError("is one of {http: PATH}, {tls: true}, both of them, and {tcp: true}")
        if self.http is None:
            for key in _OF_HTTP:
                if key in self.model_fields_set:
                    raise ValueError(f"{key} is for {{http: PATH}} only")
        if self.body is not None and self.method == "HEAD":
            raise ValueError("body is not for method: HEAD, whose responses have none")
        # Read now: a file that is changed or goes later has no effect before the next reload.
        assert self.tls is None or self.tls_check is not None
        return self

    @cached_property
    def http_check(self) -> HttpCheck | None:
        """What is asked over HTTP."""
        if self.http is None:
            return None
        return HttpCheck(self.http, self.method, self.host, self.headers, self.status, self.body)

    @cached_property
    def tls_check(self) -> TlsCheck | None:
        """How TLS is spoken."""
        if self.tls is None:
            return None
        return TlsCheck.made(self.tls.server_name, self.tls.ca, http=self.http is not None)
