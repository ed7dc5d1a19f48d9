"""The head of an HTTP/1.x request: bytes in, a RequestHead or a refusal out (RFC 9112)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from slowpath.request import Refused

DEFAULT_LIMIT = 16384
"""Bytes of a request head, unless the configuration says otherwise."""
DEFAULT_HEADER_COUNT = 100
"""Header fields of a request, likewise."""
DEFAULT_TARGET_LIMIT = 8192
"""Bytes of a request-target, likewise; RFC 9112 section 3 asks for 8000 at least."""

_TLS_HANDSHAKE: Final = 0x16
_UNDECIDED: Final = "0.0"
_ACCEPTED_VERSIONS: Final = (_UNDECIDED, "1.0", "1.1")
_HOSTS = 1024
"""Host fields whose reading is kept: most requests name one of a few."""
_LARGEST_LENGTH = 2**63 - 1
"""Bytes of content: others keep the number with a sign."""
_LOOKALIKES: Final = frozenset({"content_length", "transfer_encoding"})
"""What servers that turn names into variables (RFC 3875 section 4.1.18) take for the fields that frame a message."""

# RFC 3986 section 3.2.2 (host) and 3.2.3 (port); no user information (RFC 9110 section 4.2.4).
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::[0-9]*)?")
_AUTHORITY_FORM = re.compile(r"[^:].*:[0-9]+")
_ABSOLUTE_FORM = re.compile(r"https?://([^/?:][^/?]*)(.*)", re.IGNORECASE)


@dataclass(slots=True, init=False)
class RequestHead:
    """A request line and its header fields, which nobody changes.

    `method` is as sent (methods are case-sensitive), `target` the whole request-target. `path` is
    the target's path as sent: not percent-decoded, dot segments kept, no query; "*" for the
    asterisk-form, "" for the authority-form (CONNECT). `host` is lower case without port and
    trailing dot, from the target if it names one, else from Host (RFC 9112 section 3.2.2), ""
    if neither does. `headers` has lower-case names, and values in order without the whitespace
    around them. `version` is "1.0" or "1.1". `length` counts the bytes up to and including the
    empty line, empty lines before the request line included. `content_length` is None when absent.
    `chunked`: the body ends where its last chunk says. `upgrade`: what follows the head may stop
    being HTTP (CONNECT, or Upgrade with Connection: upgrade).
    """

    method: str
    target: str
    path: str
    host: str
    headers: Mapping[str, tuple[str, ...]]
    version: str
    length: int
    content_length: int | None
    chunked: bool
    upgrade: bool

    def __init__(
        self,
        method: str,
        target: str,
        path: str,
        host: str,
        headers: Mapping[str, tuple[str, ...]],
        version: str,
        length: int,
        content_length: int | None,
        chunked: bool,
        upgrade: bool,
    ) -> None:
        # Written out: a compiled class has a fast one only so.
        self.method = method
        self.target = target
        self.path = path
        self.host = host
        self.headers = headers
        self.version = version
        self.length = length
        self.content_length = content_length
        self.chunked = chunked
        self.upgrade = upgrade

    @property
    def alpn(self) -> Sequence[str]:
        """None: they belong to TLS."""
        return ()

    def values(self, name: str) -> Sequence[str]:
        """The values of every header field called `name`, in any case; empty if there is none."""
        return self.headers.get(name.lower(), ())


class _Fields:
    """Collects what the parser finds."""

    __slots__ = ("_limit", "complete", "count", "headers", "target")

    def __init__(self, limit: int) -> None:
        """`limit` is how many header fields are kept; all are counted."""
        self._limit = limit
        self.target = b""
        self.headers: dict[str, tuple[str, ...]] = {}
        self.count = 0
        self.complete = False

    def on_url(self, part: bytes) -> None:
        self.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self.count += 1
        if self.count > self._limit:
            return
        key = name.decode("ascii").lower()
        text = value.strip(b" \t").decode("utf-8", "replace")
        before = self.headers.get(key)
        self.headers[key] = (text,) if before is None else (*before, text)

    def on_headers_complete(self) -> None:
        self.complete = True


class HeadReader:
    """Reads one request head from a byte stream, in pieces of any size.

    llhttp, in its strict mode, refuses what RFC 9112 says to refuse in field syntax (section 5: bare
    CR, obsolete line folding, whitespace before a colon) and in framing (section 6.3: Content-Length
    twice, malformed or with Transfer-Encoding, a Transfer-Encoding that does not end in chunked). It
    knows the registered methods only; another one is refused with 400. What it leaves open is
    checked here.
    """

    def __init__(
        self,
        limit: int = DEFAULT_LIMIT,
        *,
        header_count: int = DEFAULT_HEADER_COUNT,
        target_limit: int = DEFAULT_TARGET_LIMIT,
    ) -> None:
        """`limit` and `target_limit` are the greatest lengths of the head and of the request-target in bytes."""
        self._limit, self._header_count, self._target_limit = limit, header_count, target_limit
        self._buffer = bytearray()
        self._start = 0
        self._parsed = 0
        self._fields = _Fields(header_count)
        self._parser = HttpRequestParser(self._fields)
        self._version = _UNDECIDED

    def feed(self, data: bytes) -> RequestHead | None:
        """Take the next bytes; None as long as the head is incomplete.

        Bytes after the head are ignored. Raises Refused at the first byte that shows the request to
        be malformed (400), of an unsupported version (505), or over a limit (414 for the target, 431).
        Once it has returned a head or raised, the reader is spent.
        """
        buffer = self._buffer
        buffer += data
        while buffer.startswith(b"\r\n", self._start):  # RFC 9112 section 2.2
            self._start += 2
        blank = buffer.find(b"\r\n\r\n", max(self._start, self._parsed - 3))
        stop = min(len(buffer) if blank < 0 else blank + 4, self._limit)
        self._parse(bytes(buffer[self._parsed : stop]))
        self._parsed = stop
        if self._fields.complete:
            return self._finish()
        if stop == self._limit:
            raise Refused(431, f"the request head is longer than {self._limit} bytes")
        if blank >= 0:
            raise Refused(400, "an empty line before the end of the request line")
        return None

    def _check_limits(self) -> None:
        """Raises Refused for what has been read."""
        if len(self._fields.target) > self._target_limit:
            raise Refused(414, f"the request target is longer than {self._target_limit} bytes")
        if self._fields.count > self._header_count:
            raise Refused(431, f"more than {self._header_count} header fields")

    def _parse(self, data: bytes) -> None:
        """Run the parser over `data`; raises Refused."""
        malformed = None
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            pass  # only says where the head ends
        except HttpParserError as error:
            malformed = str(error)
        self._check_limits()
        self._version = self._parser.get_http_version()
        if self._version not in _ACCEPTED_VERSIONS:
            raise Refused(505, "an HTTP version other than 1.0 and 1.1")
        if malformed is not None:
            if self._buffer[self._start] == _TLS_HANDSHAKE:
                malformed = "a TLS handshake where plain HTTP was expected"
            raise Refused(400, malformed)

    def _finish(self) -> RequestHead:
        """The head, once the parser has seen it whole; raises Refused for what the parser let pass."""
        method, version = self._parser.get_method().decode("ascii"), self._version
        target, headers = self._fields.target.decode("ascii"), self._fields.headers
        if not self._buffer.startswith(f"{method} {target} HTTP/{version}\r\n".encode(), self._start):
            raise Refused(400, "the request line is not METHOD SP TARGET SP HTTP-VERSION")
        hosts = headers.get("host", ())
        if len(hosts) > 1 or (version == "1.1" and not hosts):
            raise Refused(400, f"{len(hosts)} Host fields instead of one")  # RFC 9112 section 3.2
        chunked = _chunked(headers, version)
        length = _content_length(headers)
        if not _LOOKALIKES.isdisjoint(headers):
            raise Refused(400, "a header field that may be taken for Content-Length or Transfer-Encoding")
        named, path = _split_target(method, target)
        host = host_of("".join(hosts))
        if named is not None and host_of(named) != host and hosts:
            # RFC 9112 section 3.2.2 lets the target win; a server may go by Host all the same.
            raise Refused(400, "the request target and Host name different hosts")
        return RequestHead(
            method,
            target,
            path,
            host if named is None else host_of(named),
            headers,
            version,
            length=self._parsed,
            content_length=length,
            chunked=chunked,
            upgrade=self._parser.should_upgrade(),
        )


def _chunked(headers: Mapping[str, tuple[str, ...]], version: str) -> bool:
    """Whether the body is chunked, with no other coding besides; raises Refused."""
    codings = headers.get("transfer-encoding")
    if codings is None:
        return False
    if version == "1.0":
        raise Refused(400, "Transfer-Encoding in HTTP/1.0")  # RFC 9112 section 6.1
    if len(codings) > 1 or codings[0].lower() != "chunked":
        raise Refused(501, "a transfer coding other than chunked alone")  # RFC 9112 section 6.1
    return True


def _content_length(headers: Mapping[str, tuple[str, ...]]) -> int | None:
    """The length that the parser has found to be one number; raises Refused for how it is written."""
    lengths = headers.get("content-length")
    if lengths is None:
        return None
    text = lengths[0]
    if text[0] == "0" and len(text) > 1:
        raise Refused(400, "leading zeros in Content-Length")  # They may be taken for octal.
    if (length := int(text)) > _LARGEST_LENGTH:
        raise Refused(400, f"a Content-Length of more than {_LARGEST_LENGTH}")
    return length


def _split_target(method: str, target: str) -> tuple[str | None, str]:
    """The authority (None where the form has none) and the path of a request-target (RFC 9112 section 3.2)."""
    if "#" in target:
        raise Refused(400, "a fragment in the request target")
    if method == "CONNECT":
        if _AUTHORITY_FORM.fullmatch(target):
            return target, ""
    elif target.startswith("/"):
        return None, target.partition("?")[0]
    elif target == "*" and method == "OPTIONS":
        return None, target
    elif absolute := _ABSOLUTE_FORM.fullmatch(target):
        return absolute[1], absolute[2].partition("?")[0] or "/"
    raise Refused(400, f"{method} does not go with this form of request target")


@lru_cache(_HOSTS)
def host_of(authority: str) -> str:
    """The host of `host[:port]`, lower case, without the dot of a fully qualified name; raises Refused."""
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise Refused(400, "a malformed host name")
    return match[1].lower().removesuffix(".")
