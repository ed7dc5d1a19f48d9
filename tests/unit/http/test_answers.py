"""The balancer's own responses, read back by an HTTP client."""

from __future__ import annotations

import io
from email.message import Message
from http.client import HTTPResponse
from typing import cast

import pytest

from slowpath.http.answers import STATUSES, Answer, standard, too_many


class Wire(io.BytesIO):
    """What HTTPResponse wants of a socket."""

    def makefile(self, mode: str) -> Wire:
        return self


def read(data: bytes, method: str) -> tuple[HTTPResponse, bytes]:
    response = HTTPResponse(Wire(data), method=method)  # type: ignore[arg-type]
    response.begin()
    return response, response.read()


def test_there_is_one_for_every_way_to_fail() -> None:
    assert sorted(STATUSES) == [400, 404, 408, 414, 429, 431, 501, 502, 503, 504, 505]


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_a_client_understands_it(status: int) -> None:
    response, body = read(standard(status).encoded(), "GET")
    fields = cast(Message, response.headers)
    assert response.status == status
    assert response.reason
    assert response.will_close
    assert fields["Connection"] == "close"
    assert fields["Content-Type"] == "text/plain; charset=utf-8"
    assert int(fields["Content-Length"]) == len(body) > 10
    assert ("Retry-After" in fields) == (status == 503)


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_head_gets_the_same_without_the_body(status: int) -> None:
    head, blank, _ = standard(status).encoded().partition(b"\r\n\r\n")
    assert standard(status).encoded(head_only=True) == head + blank


def test_no_answer_for_another_status() -> None:
    with pytest.raises(ValueError, match=r"200: one of \[400, 404"):
        standard(200)


def test_too_many_requests_say_when_to_come_back() -> None:
    response, body = read(too_many(7).encoded(), "GET")
    assert (response.status, response.headers["Retry-After"]) == (429, "7")
    assert body == standard(429).body


@pytest.mark.parametrize("status", [204, 205, 304])
def test_a_response_that_has_no_body_names_no_length(status: int) -> None:
    data = Answer(status, (("X-A", "b"),)).encoded()
    response, body = read(data, "GET")
    assert (response.status, response.headers["X-A"], body) == (status, "b", b"")
    assert b"Content-Length" not in data


def test_a_status_without_a_name_of_its_own() -> None:
    assert Answer(299).encoded().startswith(b"HTTP/1.1 299 \r\n")
