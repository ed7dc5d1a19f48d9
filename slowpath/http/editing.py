"""Request heads as servers get them: who the client is, fields set and removed, host and path rewritten.

Whatever is not edited keeps its bytes and its place. A name that is edited is so with `_`, `.` or
anything else for `-`, too: to CGI and what took after it they are the same (RFC 3875 section 4.1.18).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from slowpath.http.head import RequestHead
from slowpath.http.rewriting import PathRewrite
from slowpath.wire.endpoint import Endpoint

REQUEST_ID_BITS = 128

_NAMED_TARGET = re.compile(r"(?:(https?://)([^/?]+))?((?(1)|/)[^?]*)(\?.*)?", re.IGNORECASE)  # RFC 9112 section 3.2
_UPGRADE = frozenset({b"upgrade", b"http2-settings"})
_STILL_HTTP = ("h2", "http", "tls")
"""What upgrades start with that lead to more requests."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)  # RFC 9110 section 5.6.2
_KEYS = re.sub(rb"[^a-z0-9]", b"-", bytes(range(256)).lower())
"""What each byte of a field name becomes in its key."""


class Identity(Enum):
    """A field that tells servers of the client; the value is its name as it is sent."""

    X_FORWARDED_FOR = "X-Forwarded-For"
    X_FORWARDED_PROTO = "X-Forwarded-Proto"
    X_REAL_IP = "X-Real-IP"
    FORWARDED = "Forwarded"
    """RFC 7239."""
    X_REQUEST_ID = "X-Request-ID"


@dataclass(frozen=True, slots=True)
class FieldEdits:
    """Fields by name: `set` ones have that value only, `add` ones one more, `remove` ones none."""

    set: Mapping[str, str] = field(default_factory=dict)
    add: Mapping[str, str] = field(default_factory=dict)
    remove: frozenset[str] = frozenset()


class HeadEdits:
    """What is done to the heads of some requests.

    The fields of `identity` say what we know, whatever the client sent, unless its address is in one
    of the `trusted` prefixes (packed address, bits): then lists are continued and the rest is kept.
    `fields` are done in their order after that. `hostname` goes into Host, and into a target that
    names a host. `random_bits` gives as many random bits as it is asked for.
    """

    def __init__(
        self,
        identity: Sequence[Identity] = (),
        trusted: Sequence[tuple[bytes, int]] = (),
        fields: Sequence[FieldEdits] = (),
        hostname: str | None = None,
        path: PathRewrite | None = None,
        random_bits: Callable[[int], int] = lambda bits: 0,
    ) -> None:
        self.hostname = hostname
        self.path = path
        self._trusted = trusted
        self._random_bits = random_bits
        dropped: set[bytes] = set()
        appended: dict[bytes, list[str]] = {}
        for edits in fields:
            for name in (*edits.remove, *edits.set):
                dropped.add(_key(name.encode("ascii")))
                appended.pop(_key(name.encode("ascii")), None)
            for name, value in (*edits.set.items(), *edits.add.items()):
                appended.setdefault(_key(name.encode("ascii")), []).append(f"{name}: {value}")
        self._identity = [kind for kind in identity if _key(kind.value.encode("ascii")) not in dropped]
        self._appended = [line.encode("ascii") for lines in appended.values() for line in lines]
        self.dropped = frozenset(dropped.union(_key(kind.value.encode("ascii")) for kind in self._identity))
        """The names whose fields are left out, as keys."""
        self.ours = self.dropped.union(appended)
        """The names that no client can have removed by listing them in Connection (RFC 9110 section 7.6.1)."""

    def appended(self, head: RequestHead, client: Endpoint) -> list[bytes]:
        """The fields that follow those of `head`, without line ends."""
        if not self._identity:
            return self._appended
        trusts = bool(self._trusted) and any(_contains(prefix, client.address) for prefix in self._trusted)
        lines = [f"{kind.value}: {self._value(kind, head, client, trusts=trusts)}" for kind in self._identity]
        return [*(line.encode() for line in lines), *self._appended]

    def _value(self, kind: Identity, head: RequestHead, client: Endpoint, *, trusts: bool) -> str:
        given = ", ".join(filter(None, head.values(kind.value))) if trusts else ""
        match kind:
            case Identity.X_FORWARDED_FOR:
                ours = str(ipaddress.ip_address(client.address))
                return f"{given}, {ours}" if given else ours
            case Identity.FORWARDED:
                ours = _forwarded(head, client)
                return f"{given}, {ours}" if given else ours
            case Identity.X_FORWARDED_PROTO:
                return given or "http"
            case Identity.X_REAL_IP:
                return given or str(ipaddress.ip_address(client.address))
            case Identity.X_REQUEST_ID:
                return given or f"{self._random_bits(REQUEST_ID_BITS):032x}"


NO_EDITS = HeadEdits()


def edited(raw: bytes, head: RequestHead, edits: HeadEdits, client: Endpoint, *, close: bool = False) -> bytes:
    """The head that takes the place of `raw`, of which `head` was read; `client` is whose request it is.

    With `close` the server is asked to close the connection after its response, by a Connection field
    that says nothing else: some look at the first of several, and for no more than that word. Another
    version of HTTP, or TLS, is never offered to it as an upgrade: no later head could be edited.
    """
    start, *lines = raw.lstrip(b"\r\n").removesuffix(b"\r\n\r\n").split(b"\r\n")
    hostname = edits.hostname if head.path else None  # CONNECT's target is a host already
    if hostname is not None or edits.path is not None:
        start = f"{head.method} {_target(head.target, edits)} HTTP/{head.version}".encode("ascii")
    kept = [start]
    upgrade = _UPGRADE if offers_http(head) else frozenset[bytes]()
    unlisted = edits.ours | upgrade
    for line in lines:
        name = _key(line[: line.index(b":")])
        if name in edits.dropped or name in upgrade or (name == b"host" and hostname is not None):
            continue
        if name == b"connection" and close:
            continue
        if name != b"connection":
            kept.append(line)
        elif (options := _without(line, unlisted)) is not None:
            kept.append(options)
    if hostname is not None:
        kept.append(b"Host: " + hostname.encode("ascii"))
    if close:
        kept.append(b"Connection: close")
    return b"\r\n".join([*kept, *edits.appended(head, client)]) + b"\r\n\r\n"


def _key(name: bytes) -> bytes:
    """What is the same of all names that some server takes for `name`."""
    return name.translate(_KEYS)


def _contains(prefix: tuple[bytes, int], address: bytes) -> bool:
    network, bits = prefix
    rest = 8 * len(network) - bits
    same = int.from_bytes(network) >> rest == int.from_bytes(address) >> rest
    return len(network) == len(address) and same


def _forwarded(head: RequestHead, client: Endpoint) -> str:
    """An element of Forwarded (RFC 7239 section 4); what is no token is quoted."""
    address = ipaddress.ip_address(client.address)
    node = str(address) if address.version == 4 else f'"[{address}]"'
    host = "".join(head.values("host"))
    if not host:
        return f"for={node};proto=http"
    named = host if _TOKEN.fullmatch(host) else f'"{host}"'
    return f"for={node};host={named};proto=http"


def _target(target: str, edits: HeadEdits) -> str:
    """The request-target with the path and the host that it is to have; the query stays."""
    match = _NAMED_TARGET.fullmatch(target)
    if match is None:
        return target  # for the server as a whole, or CONNECT
    scheme, authority, path, query = match.groups(default="")
    if scheme and edits.hostname is not None:
        authority = edits.hostname
    if edits.path is not None:
        path = edits.path.of(path or "/")
    return f"{scheme}{authority}{path}{query}"


def offers_http(head: RequestHead) -> bool:
    """Whether the request asks for an upgrade after which requests follow that nobody reads here.

    That is HTTP/2 in plain text (RFC 7540 section 3.2), HTTP by its version, and TLS (RFC 2817 section 3.1).
    """
    asked = head.values("upgrade")
    if not asked:
        return False
    options = (option.strip(" \t").lower() for value in asked for option in value.split(","))
    return any(option.startswith(_STILL_HTTP) for option in options)


def _without(line: bytes, names: frozenset[bytes]) -> bytes | None:
    """A Connection field without the options `names`; None if nothing else was in it."""
    field_name, _, value = line.partition(b":")
    options = [option.strip(b" \t") for option in value.split(b",")]
    kept = [option for option in options if _key(option) not in names]
    if len(kept) == len(options):
        return line
    return field_name + b": " + b", ".join(kept) if any(kept) else None
