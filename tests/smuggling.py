"""Requests that two recipients may frame or route differently (RFC 9112 section 11.2), and how each is refused."""

from __future__ import annotations

from dataclasses import dataclass

SMUGGLED = "/smuggled"
"""The path of the request that hides in the attacks' bodies: no server may ever see it."""
_HIDDEN = f"GET {SMUGGLED} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


@dataclass(frozen=True, slots=True)
class Attack:
    """A whole request with the hidden one behind it, and the status that answers it."""

    name: str
    data: bytes
    status: int


def _fields(name: str, fields: bytes, status: int = 400) -> Attack:
    """A POST with these header fields besides Host."""
    return Attack(name, b"POST / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n" + _HIDDEN, status)


def _request(name: str, head: bytes, status: int = 400) -> Attack:
    return Attack(name, head + _HIDDEN, status)


# Two lengths, or one that is read in two ways (RFC 9112 section 6.3, RFC 9110 section 8.6).
_LENGTHS = (
    _fields("two lengths", b"Content-Length: 5\r\nContent-Length: 6\r\n"),
    _fields("the same length twice", b"Content-Length: 5\r\nContent-Length: 5\r\n"),
    _fields("two lengths in different case", b"Content-Length: 5\r\ncontent-length: 6\r\n"),
    _fields("two lengths apart", b"Content-Length: 5\r\nX: y\r\nContent-Length: 0\r\n"),
    _fields("a list of lengths", b"Content-Length: 5, 5\r\n"),
    _fields("a list of lengths without spaces", b"Content-Length: 5,6\r\n"),
    _fields("a comma after a length", b"Content-Length: 5,\r\n"),
    _fields("a parameter of a length", b"Content-Length: 5;a\r\n"),
    _fields("a signed length", b"Content-Length: +5\r\n"),
    _fields("a negative length", b"Content-Length: -5\r\n"),
    _fields("a hexadecimal length", b"Content-Length: 0x5\r\n"),
    _fields("an exponent in a length", b"Content-Length: 5e1\r\n"),
    _fields("a fraction in a length", b"Content-Length: 5.0\r\n"),
    _fields("an underscore in a length", b"Content-Length: 5_0\r\n"),
    _fields("a space in a length", b"Content-Length: 5 0\r\n"),
    _fields("a quoted length", b'Content-Length: "5"\r\n'),
    _fields("a leading zero in a length", b"Content-Length: 05\r\n"),
    _fields("zero twice in a length", b"Content-Length: 00\r\n"),
    _fields("an empty length", b"Content-Length:\r\n"),
    _fields("a blank length", b"Content-Length:  \r\n"),
    _fields("digits that are not ASCII", "Content-Length: \N{ARABIC-INDIC DIGIT FIVE}\r\n".encode()),
    _fields("a length over 63 bits", b"Content-Length: 9223372036854775808\r\n"),
    _fields("a length over 64 bits", b"Content-Length: 18446744073709551616\r\n"),
    _fields("a vertical tab before a length", b"Content-Length: \x0b5\r\n"),
    _fields("a form feed behind a length", b"Content-Length: 5\x0c\r\n"),
)

# A length and a coding (RFC 9112 section 6.1): CL.TE and TE.CL.
_BOTH = (
    _fields("CL.TE", b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
    _fields("TE.CL", b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
    _fields("CL.TE with a length of 0", b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"),
    _fields("TE.CL apart", b"Transfer-Encoding: chunked\r\nX: y\r\nContent-Length: 5\r\n"),
    _fields("TE.CL with another coding", b"Transfer-Encoding: gzip, chunked\r\nContent-Length: 5\r\n"),
    _fields("CL.TE by an underscore", b"Content-Length: 5\r\nTransfer_Encoding: chunked\r\n"),
    _fields("TE.CL by an underscore", b"Transfer-Encoding: chunked\r\nContent_Length: 5\r\n"),
)

# A coding that one takes for chunked and another does not: TE.TE.
_CODINGS = (
    _fields("chunked not last", b"Transfer-Encoding: chunked, identity\r\n"),
    _fields("chunked not last, two fields", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
    _fields("identity first, two fields", b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", 501),
    _fields("chunked twice", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
    _fields("chunked twice in a list", b"Transfer-Encoding: chunked, chunked\r\n"),
    _fields("a second name of a coding", b"Transfer-Encoding: chunked\r\nTransfer-encoding: x\r\n"),
    _fields("identity, then chunked", b"Transfer-Encoding: identity, chunked\r\n", 501),
    _fields("gzip, then chunked", b"Transfer-Encoding: gzip, chunked\r\n", 501),
    _fields("nothing, then chunked", b"Transfer-Encoding: ,chunked\r\n", 501),
    _fields("chunked, then nothing", b"Transfer-Encoding: chunked,\r\n"),
    _fields("a parameter of chunked", b"Transfer-Encoding: chunked;q=1\r\n"),
    _fields("xchunked", b"Transfer-Encoding: xchunked\r\n"),
    _fields("chunkedx", b"Transfer-Encoding: chunkedx\r\n"),
    _fields("chunked and a word", b"Transfer-Encoding: chunked x\r\n"),
    _fields("chunk ed", b"Transfer-Encoding: chunk ed\r\n"),
    _fields("identity", b"Transfer-Encoding: identity\r\n"),
    _fields("gzip alone", b"Transfer-Encoding: gzip\r\n"),
    _fields("chunked in double quotes", b'Transfer-Encoding: "chunked"\r\n'),
    _fields("chunked in single quotes", b"Transfer-Encoding: 'chunked'\r\n"),
    _fields("chunked within quotes", b'Transfer-Encoding: "x, chunked"\r\n'),
    _fields("a vertical tab before chunked", b"Transfer-Encoding: \x0bchunked\r\n"),
    _fields("a vertical tab behind chunked", b"Transfer-Encoding: chunked\x0b\r\n"),
    _fields("a form feed before chunked", b"Transfer-Encoding: \x0cchunked\r\n"),
    _fields("a NUL behind chunked", b"Transfer-Encoding: chunked\x00\r\n"),
    _fields("a no-break space before chunked", b"Transfer-Encoding: \xa0chunked\r\n"),
    _fields("an empty coding", b"Transfer-Encoding:\r\n"),
    _request("a coding in HTTP/1.0", b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
)

# Where a line, a name or a value ends (RFC 9112 sections 2.2, 5.1 and 5.2, RFC 9110 section 5).
_SYNTAX = (
    _fields("a space before the colon", b"Transfer-Encoding : chunked\r\n"),
    _fields("a tab before the colon", b"Transfer-Encoding\t: chunked\r\n"),
    _fields("a NUL before the colon", b"Content-Length\x00: 5\r\n"),
    _request("a space before the first field", b"POST / HTTP/1.1\r\n Host: a\r\nContent-Length: 5\r\n\r\n"),
    _fields("obs-fold", b"X: a\r\n Transfer-Encoding: chunked\r\n"),
    _fields("obs-fold of a coding", b"Transfer-Encoding:\r\n chunked\r\n"),
    _fields("obs-fold of a length", b"Content-Length: 5\r\n\t0\r\n"),
    _fields("obs-fold after nothing", b"X:\r\n\tb\r\n"),
    _fields("bare CR", b"X: a\rTransfer-Encoding: chunked\r\n"),
    _fields("bare LF", b"X: a\nTransfer-Encoding: chunked\r\n"),
    _fields("LF CR", b"X: a\n\rTransfer-Encoding: chunked\r\n"),
    _fields("CR CR LF", b"X: a\r\r\nTransfer-Encoding: chunked\r\n"),
    _fields("an empty line of LF alone", b"X: a\r\n\nContent-Length: 5\r\n"),
    _request("LF alone in every line", b"POST / HTTP/1.1\nHost: a\nContent-Length: 5\n\n"),
    _request("CR alone in every line", b"POST / HTTP/1.1\rHost: a\rContent-Length: 5\r\r"),
    _fields("NUL in a value", b"X: a\x00b\r\n"),
    _fields("a control character in a value", b"X: a\x01b\r\n"),
    _fields("DEL in a value", b"X: a\x7fb\r\n"),
    _fields("a name that is not a token", b"X(: a\r\n"),
    _fields("a name with a space", b"X y: a\r\n"),
    _fields("a name with DEL", b"X\x7f: a\r\n"),
    _fields("a name that is not ASCII", b"\x80: a\r\n"),
    _fields("a name that is not ASCII in UTF-8", "Content-Length\N{ZERO WIDTH SPACE}: 5\r\n".encode()),
    _fields("no name", b": a\r\n"),
    _fields("no colon", b"X\r\n"),
)

# Which host and version a request is of (RFC 9112 sections 2.3, 3 and 3.2).
_ROUTES = (
    _fields("a second Host", b"Host: b\r\n"),
    _fields("the same Host twice", b"Host: a\r\n"),
    _fields("a second host", b"HOST: b\r\n"),
    _request("no Host", b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n"),
    _request("two hosts in one", b"POST / HTTP/1.1\r\nHost: a, b\r\nContent-Length: 5\r\n\r\n"),
    _request("a user in Host", b"POST / HTTP/1.1\r\nHost: a@b\r\nContent-Length: 5\r\n\r\n"),
    _request("a path in Host", b"POST / HTTP/1.1\r\nHost: a/b\r\nContent-Length: 5\r\n\r\n"),
    _request("two ports in Host", b"POST / HTTP/1.1\r\nHost: a:80:81\r\nContent-Length: 5\r\n\r\n"),
    _request("the target names another host", b"POST http://b/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"),
    _request("the target names a host, Host none", b"POST http://b/ HTTP/1.1\r\nHost:\r\nContent-Length: 5\r\n\r\n"),
    _request("the target names a user", b"POST http://a@b/ HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\n"),
    _request("CONNECT to another host", b"CONNECT b:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
    _request("a target with a space", b"POST /a b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"),
    _request("a version behind the target", b"POST / HTTP/1.1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"),
    _request("a tab before the version", b"POST /\tHTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"),
    _request("a target with NUL", b"POST /\x00 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"),
    _request("a target that is not ASCII", b"POST /\xff HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"),
    _request("HTTP/0.9", b"GET /\r\nHost: a\r\n\r\n", 505),
    _request("HTTP/0.9 by name", b"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
    _request("HTTP/1.2", b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505),
    _request("a version in lower case", b"GET / http/1.1\r\nHost: a\r\n\r\n"),
    _request("a version with leading zeros", b"GET / HTTP/01.1\r\nHost: a\r\n\r\n"),
    _request("a method that is not a token", b"GE(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
)

ATTACKS = (*_LENGTHS, *_BOTH, *_CODINGS, *_SYNTAX, *_ROUTES)
