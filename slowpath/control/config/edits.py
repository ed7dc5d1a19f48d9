"""What is done to the heads of requests (docs/configuration.md, header edits)."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, InstanceOf, PlainValidator, model_validator

from fastpath.access import Prefix as Network
from slowpath.control.config.problems import alternatives
from slowpath.control.config.protection import prefix
from slowpath.control.config.section import Section
from slowpath.control.config.values import TOKEN, text
from slowpath.http.editing import FieldEdits, Identity
from slowpath.http.rewriting import FullPath, PathRewrite, PrefixPath
from slowpath.routing.matchers import Prefix

_VALUE = re.compile(r"(?:[!-~](?:[ -~\t]*[!-~])?)?", re.ASCII)  # RFC 9110 section 5.5, without obs-text
_IDENTITIES = {kind.value.lower(): kind for kind in Identity}
_NOT_EDITED = frozenset(
    [
        "connection",
        "content-length",
        "expect",
        "http2-settings",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
"""What says how long a request is and what becomes of its connection, which edits do not change."""


NewPath: TypeAlias = FullPath | Prefix
"""What a path becomes, as it is configured: a prefix has yet to be told what it takes the place of."""


def header_name(value: object) -> str:
    """The name of a field that edits may touch."""
    if not isinstance(value, str) or not TOKEN.fullmatch(value):
        raise ValueError(f"{value!r} is not a header name")
    if value.lower() == "host":
        raise ValueError("Host says where a request goes: use rewrite: {hostname: NAME} in a route")
    if value.lower() in _NOT_EDITED:
        raise ValueError(f"{value} belongs to the connection and the framing of requests, which stay as they are")
    return value


def header_values(value: object) -> dict[str, str]:
    """Values by header name."""
    if not isinstance(value, dict) or not value:
        raise ValueError("is a mapping of header names to values, as in {x-tier: 'front'}")
    values: dict[str, str] = {}
    for name, content in value.items():
        if header_name(name).lower() in map(str.lower, values):
            raise ValueError(f"{name!r} is given twice: header names ignore case")
        if not isinstance(content, str) or not _VALUE.fullmatch(content):
            raise ValueError(f"{name}: {content!r} is not text (in quotes) of printable ASCII")
        values[name] = content
    return values


def _names(value: object) -> frozenset[str]:
    if not isinstance(value, list) or not value:
        raise ValueError("is a list of header names, as in [x-debug]")
    return frozenset(header_name(name).lower() for name in value)


def _identity(value: object) -> Identity:
    if not isinstance(value, str) or value.lower() not in _IDENTITIES:
        raise ValueError(f"{value!r} is unknown: {alternatives(str(value).lower(), list(_IDENTITIES))}")
    return _IDENTITIES[value.lower()]


def _distinct(identities: tuple[Identity, ...]) -> tuple[Identity, ...]:
    if len(set(identities)) < len(identities):
        raise ValueError("names a header twice")
    return identities


def _path(value: object) -> NewPath:
    """`{full: /path}` or `{prefix: /path}`."""
    if isinstance(value, dict) and len(value) == 1:
        [(kind, path)] = value.items()
        if kind in ("full", "prefix") and isinstance(path, str) and re.fullmatch(r"/[!\"$->@-~]*", path, re.ASCII):
            return FullPath(path) if kind == "full" else Prefix(path)
    raise ValueError(f"{value!r} is neither {{full: /path}} nor {{prefix: /path}}")


Hostname = Annotated[str, text(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?(?::[0-9]{1,5})?", "a host name")]
HeaderValues = Annotated[dict[str, str], PlainValidator(header_values)]
Path = Annotated[InstanceOf[FullPath] | InstanceOf[Prefix], PlainValidator(_path)]


class RequestHeaders(Section):
    """Fields of requests that are set, added and removed."""

    set: HeaderValues = Field(default_factory=dict)
    add: HeaderValues = Field(default_factory=dict)
    remove: Annotated[frozenset[str], PlainValidator(_names)] = frozenset()

    @model_validator(mode="after")
    def _once(self) -> RequestHeaders:
        for name in (*self.set, *self.add):
            if name.lower() in self.remove:
                raise ValueError(f"both gives and removes {name}")
        return self

    def edits(self) -> FieldEdits:
        """As the slow path takes them."""
        return FieldEdits(self.set, self.add, self.remove)


class ForwardedConfig(Section):
    """The fields that tell servers of the client, and who may have said so before."""

    fields: Annotated[
        tuple[Annotated[Identity, PlainValidator(_identity)], ...], Field(min_length=1), AfterValidator(_distinct)
    ]
    trusted: tuple[Annotated[Network, PlainValidator(prefix)], ...] = ()


class RewriteConfig(Section):
    """Another host and path than the client asked for."""

    hostname: Hostname | None = None
    path: Path | None = None

    @model_validator(mode="after")
    def _something(self) -> RewriteConfig:
        if self.hostname is None and self.path is None:
            raise ValueError("needs hostname, path or both")
        return self


def rewriting(path: NewPath | None, match: object) -> PathRewrite | None:
    """How paths that fulfil `match` are rewritten; raises ValueError for a prefix that takes the place of nothing."""
    if not isinstance(path, Prefix):
        return path
    if not isinstance(match, Prefix):
        raise ValueError("replaces a prefix: the route's own path has to be {prefix: /path}, too")
    return PrefixPath(match.value, path.value)


def _shorthand(value: object) -> object:
    """`[x-real-ip]` is short for `{fields: [x-real-ip]}`."""
    return {"fields": value} if isinstance(value, list) else value


Forwarded = Annotated[ForwardedConfig, BeforeValidator(_shorthand)]
