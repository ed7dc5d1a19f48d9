"""The servers of a pool: by address, by name, or in a file of their own (docs/configuration.md, pools)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, NamedTuple, Self, TypeAlias

from pydantic import (
    BeforeValidator,
    Field,
    InstanceOf,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from slowpath.control.config import source as yaml_source
from slowpath.control.config.context import Context
from slowpath.control.config.problems import ConfigError
from slowpath.control.config.section import Section
from slowpath.control.config.values import ServerLabel, Weight, forwarded_endpoint
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.ip import family_of

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"({_LABEL}(?:\.{_LABEL})*\.?):([0-9]{{1,5}})", re.ASCII)
_MAX_NAME = 253
_BACKUP_RANK = 100


class ServerName(NamedTuple):
    """A host name and a port (1..65535): a server for each address that the name has."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def admit(endpoint: Endpoint, context: Context) -> None:
    """Raise ValueError if no server can be at `endpoint`."""
    forwarded_endpoint(str(endpoint))
    context.require_forwarded(family_of(endpoint.address).version, endpoint)
    context.require_source(endpoint)
    if endpoint in context.listeners:
        raise ValueError(f"{endpoint} is a listener's own address")
    if context.network is not None and context.network.neighbour(endpoint.address) is None:
        raise ValueError(f"{endpoint}: no port and no route of fastpath leads there")


def _server_address(value: object, info: ValidationInfo) -> Endpoint | ServerName:
    """`10.2.0.3:80`, `[2001:db8::3]:80` or `web.internal:80`."""
    if name := _name(value):
        return name
    try:
        endpoint = Endpoint.parse(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"{value!r} is not ADDRESS:PORT or NAME:PORT, as in 10.2.0.3:80 or web.internal:80") from None
    admit(endpoint, Context.of(info))
    return endpoint


def _name(value: object) -> ServerName | None:
    match = _NAME.fullmatch(value) if isinstance(value, str) else None
    if match is None or _is_numeric(match[1]):
        return None
    if len(match[1]) > _MAX_NAME or not 0 < int(match[2]) < 65536:
        raise ValueError(f"{value!r} is not NAME:PORT: up to {_MAX_NAME} characters, and a port of 1 to 65535")
    return ServerName(match[1], int(match[2]))


def _is_numeric(host: str) -> bool:
    """Whether it is an address, or would be one without a mistake: no top-level domain is a number (RFC 3696)."""
    return host.rstrip(".").rpartition(".")[2].isdigit()


def _shorthand(value: object) -> object:
    """`10.2.0.3:80` is short for `{address: "10.2.0.3:80"}`."""
    return {"address": value} if isinstance(value, str) else value


class ServerConfig(Section):
    """A server, or all those of a name; the weight is relative to the others of the pool, 0 keeps connections away."""

    address: Annotated[InstanceOf[Endpoint] | InstanceOf[ServerName], PlainValidator(_server_address)]
    weight: Weight = 1
    name: ServerLabel = ""
    max_connections: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = None
    priority: Annotated[int, Field(strict=True, ge=0, lt=_BACKUP_RANK)] = 0
    backup: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def _one_rank(self) -> Self:
        if self.backup and self.priority:
            raise ValueError("is a backup, which comes after every priority: leave one of the two out")
        return self

    @model_validator(mode="after")
    def _name_of_one(self) -> Self:
        if self.name and isinstance(self.address, ServerName):
            raise ValueError(
                f"name is for one server, and {self.address.host} may have several addresses: leave it out"
            )
        return self

    @property
    def rank(self) -> int:
        """Servers are used in this order, the lower ones first."""
        return _BACKUP_RANK if self.backup else self.priority


def distinct(servers: tuple[ServerConfig, ...]) -> tuple[ServerConfig, ...]:
    """Raise ValueError if an address or a name is there twice, or nothing but weights of 0."""
    addresses = [server.address for server in servers]
    for index, address in enumerate(addresses):
        if address in addresses[:index]:
            raise ValueError(f"{address} is listed twice: give it a weight of 2 instead")
    names = [server.name for server in servers if server.name]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ValueError(f"two servers are called {name!r}: each has a name of its own")
    if servers and not any(server.weight for server in servers):
        raise ValueError("every weight is 0: give at least one server a weight of 1 or more")
    return servers


ServerList: TypeAlias = tuple[Annotated[ServerConfig, BeforeValidator(_shorthand)], ...]


class _Listed(Section):
    """A list of servers as the only key of a mapping, so that mistakes in it are worded as everywhere."""

    servers: ServerList = ()


@dataclass(frozen=True, slots=True)
class ServersFile:
    """A file that holds the list of a pool's servers, and may change while L7LB runs."""

    path: Path
    context: Context = field(compare=False)
    """Of the configuration that names it."""

    def read(self) -> tuple[ServerConfig, ...]:
        """Its servers now; raises ConfigError, whose problems are those of this file."""
        source = yaml_source.read(self.path)
        problems = list(source.problems)
        if not isinstance(source.data, list):
            raise ConfigError([source.problem((), "is not a list of servers, as in [10.2.0.2:80, 10.2.0.3:80]")])
        try:
            listed = _Listed.model_validate({"servers": source.data}, context=self.context)
            servers = distinct(listed.servers)
        except ValidationError as error:
            problems += [
                source.problem(tuple(detail["loc"][1:]), detail["msg"]) for detail in error.errors(include_url=False)
            ]
        except ValueError as error:
            problems.append(source.problem((), str(error)))
        if problems:
            raise ConfigError(sorted(problems))
        return servers
