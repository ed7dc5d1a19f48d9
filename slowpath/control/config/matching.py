"""What routes match on, read into the patterns of `slowpath.routing`."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from pydantic import PlainValidator

from slowpath.control.config.values import TOKEN
from slowpath.routing.matchers import Exact, Prefix, Present, Regex, Wildcard

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\]", re.ASCII)
_ALPN = re.compile(r"[!-~]{1,255}", re.ASCII)

HostMatcher: TypeAlias = Exact | Wildcard | Regex
PathMatcher: TypeAlias = Exact | Prefix | Regex
HeaderMatcher: TypeAlias = Exact | Regex | Present


def host(value: object) -> HostMatcher:
    """`www.example.com`, `*.example.com` or `{regex: ...}`; the rule ignores case."""
    if (form := _form(value, "regex")) is not None:
        return _regex(form[1])
    if isinstance(value, str):
        name = value.removeprefix("*.")
        if _HOST.fullmatch(name):
            return Wildcard(name) if name != value else Exact(name)
    raise ValueError(f"{value!r} is not a host: a name without port, *.name, or {{regex: PATTERN}}")


def path(value: object) -> PathMatcher:
    """`/exactly/this`, `{prefix: /under/}` or `{regex: ...}`."""
    form = _form(value, "prefix", "regex") or ("exact", value)
    if form[0] == "regex":
        return _regex(form[1])
    if not isinstance(form[1], str) or not form[1].startswith("/"):
        raise ValueError(f"{value!r} is not a path: /exact/path, {{prefix: /path}} or {{regex: PATTERN}}")
    return Prefix(form[1]) if form[0] == "prefix" else Exact(form[1])


def methods(value: object) -> frozenset[str]:
    """A method or a list of them; methods are case-sensitive (RFC 9110 section 9.1)."""
    listed = value if isinstance(value, list) else [value]
    if not listed or not all(isinstance(method, str) and TOKEN.fullmatch(method) for method in listed):
        raise ValueError(f"{value!r} is not a method or a list of methods, as in [GET, HEAD]")
    return frozenset(listed)


def alpn(value: object) -> frozenset[str]:
    """An application protocol or a list of them, as IANA registers them (RFC 7301 section 6)."""
    listed = value if isinstance(value, list) else [value]
    if not listed or not all(isinstance(name, str) and _ALPN.fullmatch(name) for name in listed):
        raise ValueError(f"{value!r} is not a protocol of ALPN or a list of them, as in [h2, http/1.1]")
    return frozenset(listed)


def headers(value: object) -> dict[str, HeaderMatcher]:
    """Patterns by header name in lower case."""
    if not isinstance(value, dict) or not value:
        raise ValueError("is a mapping of header names to patterns, as in {x-canary: '1'}")
    patterns: dict[str, HeaderMatcher] = {}
    for name, pattern in value.items():
        if not TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} is not a header name")
        if name.lower() in patterns:
            raise ValueError(f"{name!r} is given twice: header names ignore case")
        patterns[name.lower()] = _header(name, pattern)
    return patterns


def _header(name: str, value: object) -> HeaderMatcher:
    form = _form(value, "regex", "present") or ("exact", value)
    if form[0] == "regex":
        return _regex(form[1])
    if form == ("present", True):
        return Present()
    if form[0] == "exact" and isinstance(form[1], str):
        return Exact(form[1])
    raise ValueError(f"{name}: {value!r} is not text (in quotes), {{regex: PATTERN}} or {{present: true}}")


def _form(value: object, *keys: str) -> tuple[str, object] | None:
    """The one key and value of a mapping, if it is one of `keys`."""
    if isinstance(value, dict) and len(value) == 1:
        [(key, content)] = value.items()
        if key in keys:
            return key, content
    return None


def _regex(pattern: object) -> Regex:
    """A compiled pattern; InvalidPattern is a ValueError, too."""
    if not isinstance(pattern, str):
        raise ValueError(f"{pattern!r} is not a pattern: put it in quotes")
    return Regex(pattern)


Host = Annotated[HostMatcher, PlainValidator(host)]
RequestPathMatch = Annotated[PathMatcher, PlainValidator(path)]
Methods = Annotated[frozenset[str], PlainValidator(methods)]
Alpn = Annotated[frozenset[str], PlainValidator(alpn)]
Headers = Annotated[dict[str, HeaderMatcher], PlainValidator(headers)]
