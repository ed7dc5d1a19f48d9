"""Pools and their servers (docs/configuration.md, pools)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, InstanceOf, PlainValidator, ValidationInfo, model_validator

from slowpath.balancing.keys import RequestHash
from slowpath.control.config.balancing import Balance, QueueConfig, StickyConfig
from slowpath.control.config.context import Context
from slowpath.control.config.health import HealthConfig
from slowpath.control.config.passive import PassiveConfig, Percent, on_or_off
from slowpath.control.config.problems import ConfigError, Problem
from slowpath.control.config.section import Section, mistakes
from slowpath.control.config.servers import ServerConfig, ServerList, ServersFile, distinct
from slowpath.control.config.values import Duration, choice
from slowpath.proxy_protocol import Version


def _servers_file(value: object, info: ValidationInfo) -> ServersFile:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is not the path of a file with a list of servers")
    context = Context.of(info)
    return ServersFile(context.directory / value, context)


def _proxy_protocol(value: object) -> Version:
    return Version(choice(*(version.value for version in Version))(value))


class PoolConfig(Section):
    """Servers that answer the same requests."""

    balance: Balance = "round_robin"
    sticky: StickyConfig | None = None
    slow_start: Duration | None = None
    queue: QueueConfig = QueueConfig()
    health: HealthConfig = HealthConfig()
    passive: Annotated[PassiveConfig | None, BeforeValidator(on_or_off)] = PassiveConfig()
    panic: Percent = 0
    servers: Annotated[ServerList, Field(min_length=1), AfterValidator(distinct)] = ()
    servers_file: Annotated[InstanceOf[ServersFile] | None, PlainValidator(_servers_file)] = None
    resolve: Duration = 10.0
    proxy_protocol: Annotated[Version | None, PlainValidator(_proxy_protocol)] = None

    @property
    def by_request(self) -> bool:
        """Whether each request says which server it goes to."""
        return self.sticky is not None or isinstance(self.balance, RequestHash)

    @model_validator(mode="after")
    def _one_list(self) -> Self:
        if not self.servers and self.servers_file is None:
            raise mistakes(type(self).__name__, [(("servers",), "is required, or servers_file")])
        if self.servers and self.servers_file is not None:
            raise mistakes(type(self).__name__, [(("servers_file",), "is given beside servers: use one of them")])
        return self

    @model_validator(mode="after")
    def _sticky_names_servers(self) -> Self:
        if why := self._not_sticky(self.servers):
            raise mistakes(type(self).__name__, [(("sticky",), why)])
        return self

    def listed(self) -> tuple[ServerConfig, ...]:
        """The servers, read from their file if they are in one; raises ConfigError."""
        if self.servers_file is None:
            return self.servers
        servers = self.servers_file.read()
        if why := self._not_sticky(servers):
            raise ConfigError([Problem(self.servers_file.path, 1, "", f"sticky {why}")])
        return servers

    def _not_sticky(self, servers: Sequence[ServerConfig]) -> str:
        """Why cookies cannot tell these servers apart; empty if they can, or do not have to."""
        unnamed = [server.address for server in servers if not server.name]
        return f"goes by servers' names, and {unnamed[0]} has none" if self.sticky is not None and unnamed else ""
