"""How a pool spreads connections over its servers (docs/configuration.md, pools)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field, PlainValidator

from slowpath.balancing.balancer import STRATEGIES
from slowpath.balancing.keys import Part, RequestHash
from slowpath.control.config.problems import alternatives
from slowpath.control.config.section import Section
from slowpath.control.config.values import TOKEN, Duration, Token


def _balance(value: object) -> str | RequestHash:
    """The name of a strategy, `{hash: path}`, `{hash: {header: NAME}}` or `{hash: {cookie: NAME}}`."""
    if isinstance(value, dict) and list(value) == ["hash"]:
        return _request_hash(value["hash"])
    if isinstance(value, str) and value in STRATEGIES:
        return value
    if value == "hash" or isinstance(value, dict):
        raise ValueError(
            f"{value!r} is not one of {{hash: path}}, {{hash: {{header: NAME}}}}, {{hash: {{cookie: NAME}}}}"
        )
    raise ValueError(f"{value!r} is unknown: {alternatives(str(value), [*STRATEGIES, 'hash'])}")


def _request_hash(value: object) -> RequestHash:
    if value == Part.PATH.value:
        return RequestHash(Part.PATH)
    if isinstance(value, dict) and len(value) == 1:
        [(part, name)] = value.items()
        if part in (Part.HEADER.value, Part.COOKIE.value) and isinstance(name, str) and TOKEN.fullmatch(name):
            return RequestHash(Part(part), name)
    raise ValueError(f"{value!r} cannot be hashed: path, {{header: NAME}} or {{cookie: NAME}}")


Balance: TypeAlias = Annotated[str | RequestHash, PlainValidator(_balance)]


class StickyConfig(Section):
    """The application's cookie whose value names a server."""

    cookie: Token


class QueueConfig(Section):
    """Where connections wait while every server is full."""

    size: Annotated[int, Field(strict=True, ge=0, le=10_000)] = 100
    timeout: Duration = 10.0
