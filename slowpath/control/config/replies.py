"""Routes that are answered here instead of by a pool (docs/configuration.md, redirects and responses)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PlainValidator, model_validator

from slowpath.control.config.edits import HeaderValues, Hostname, Path, rewriting
from slowpath.control.config.section import Section
from slowpath.control.config.values import choice, text
from slowpath.http.answers import BODILESS, TEXT, Answer
from slowpath.http.replies import Fixed, Redirect

MAX_BODY = 16384
"""Bytes of a response that the slow path sends by itself."""

_REDIRECTS = (301, 302, 303, 307, 308)


def _redirect_status(value: object) -> int:
    if value not in _REDIRECTS or not isinstance(value, int):
        raise ValueError(f"{value!r} is not one of {', '.join(map(str, _REDIRECTS))}")
    return value


class RedirectConfig(Section):
    """Where clients are sent; what is not given stays as they asked for it."""

    scheme: Annotated[str | None, PlainValidator(choice("http", "https"))] = None
    hostname: Hostname | None = None
    port: Annotated[int | None, Field(strict=True, ge=1, le=65535)] = None
    path: Path | None = None
    status_code: Annotated[int, PlainValidator(_redirect_status)] = 302

    @model_validator(mode="after")
    def _elsewhere(self) -> RedirectConfig:
        if not self.model_fields_set - {"status_code"}:
            raise ValueError("leads back to where the request came from: give scheme, hostname, port or path")
        return self

    def reply(self, match: object) -> Redirect:
        """As rules take it; `match` is what the route's path has to be like."""
        return Redirect(self.status_code, self.scheme, self.hostname, self.port, rewriting(self.path, match))


class RespondConfig(Section):
    """A response that is always the same."""

    status: Annotated[int, Field(strict=True, ge=200, le=599)] = 200
    body: Annotated[str, Field(strict=True)] = ""
    content_type: Annotated[str, text(r"[!-~][ -~]*", "a media type, as text/plain")] = TEXT
    headers: HeaderValues = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits(self) -> RespondConfig:
        if len(self.body.encode()) > MAX_BODY:
            raise ValueError(f"has a body of more than {MAX_BODY} bytes: let a server send it")
        if self.body and self.status in BODILESS:
            raise ValueError(f"a response with status {self.status} has no body")
        if any(name.lower() == "content-type" for name in self.headers):
            raise ValueError("Content-Type is given by content_type")
        return self

    def reply(self) -> Fixed:
        """As rules take it."""
        kind = [("Content-Type", self.content_type)] if self.body else []
        return Fixed(Answer(self.status, (*kind, *self.headers.items()), self.body.encode()))
