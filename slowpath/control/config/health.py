"""How servers are probed (docs/configuration.md, health)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from slowpath.control.config.section import Section
from slowpath.control.config.values import Count, Duration, HostHeader, RequestPath


class HealthConfig(Section):
    """How a server is probed: an HTTP GET of the path `http`, or a TCP handshake when it is None."""

    http: RequestPath | None = None
    tcp: Annotated[bool, Field(strict=True)] = False
    host: HostHeader | None = None
    interval: Duration = 2.0
    timeout: Duration = 1.0
    rise: Count = 2
    fall: Count = 3

    @model_validator(mode="before")
    @classmethod
    def _tcp_unless_http(cls, value: object) -> object:
        return {"tcp": True} | value if isinstance(value, dict) and "http" not in value else value

    @model_validator(mode="after")
    def _one_kind(self) -> HealthConfig:
        if self.tcp == (self.http is not None):
            raise ValueError("is one of {http: PATH} and {tcp: true}")
        if self.tcp and self.host is not None:
            raise ValueError("host is for {http: PATH} only")
        return self
