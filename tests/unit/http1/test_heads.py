"""A head is known again only where the same bytes are parsed to the same, and never where a message is not whole."""

from __future__ import annotations

import pytest

from modelyard.http1.exchange import Exchange
from modelyard.http1.heads import MOST_BYTES, MOST_HEADERS, answer_head, request_head


class NoCarrier:
    """A connection on which nothing is answered."""

    deadline = 0.0

    def finish(self, exchange: Exchange) -> None:
        """See Carrier."""


def exchange(length: int | None = 4, headers: dict[bytes, bytes] | None = None) -> Exchange:
    """A request as it was parsed."""
    made = Exchange(NoCarrier())
    made.method, made.target, made.length, made.headers = b"POST", b"/x", length, headers or {}
    return made


HEAD = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"


def test_the_head_of_a_whole_request_says_again_what_it_said() -> None:
    parsed = exchange(headers={b"host": b"a", b"content-length": b"4"})
    known = request_head(HEAD + b"abcd", parsed)
    assert known is not None
    assert (known.data, known.whole) == (HEAD, len(HEAD) + 4)

    again = Exchange(NoCarrier())
    known.tell(again)
    told = (again.method, again.target, again.headers, again.length, again.headed, again.complete)
    assert told == (b"POST", b"/x", parsed.headers, 4, True, False)


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"abc",
        HEAD + b"abcde",
        HEAD + b"abcd\r\n",
        b"\r\n\r\n" + HEAD + b"abcd",
        HEAD + b"abcd" + HEAD + b"efgh",
        b"GET /y HTTP/1.1\r\nHost: a\r\n\r\n" + HEAD + b"abcd",
        memoryview(HEAD + b"abcd"),
    ],
)
def test_a_request_that_is_not_alone_and_whole_is_not_known(data: bytes) -> None:
    assert request_head(data, exchange()) is None


def test_a_body_may_look_like_the_end_of_a_head() -> None:
    known = request_head(HEAD + b"\r\n\r\n", exchange())
    assert known is not None
    assert known.data == HEAD


@pytest.mark.parametrize("name", [b"expect", b"upgrade", b"transfer-encoding"])
def test_a_request_that_asks_for_more_than_an_answer_is_not_known(name: bytes) -> None:
    assert request_head(HEAD + b"abcd", exchange(headers={name: b"x"})) is None


def test_a_request_without_length_or_the_last_of_its_connection_is_not_known() -> None:
    assert request_head(HEAD + b"abcd", exchange(length=None)) is None
    last, old = exchange(), exchange()
    last.keep, old.old = False, True
    assert request_head(HEAD + b"abcd", last) is None
    assert request_head(HEAD + b"abcd", old) is None


@pytest.mark.parametrize(
    "headers",
    [{b"x": b"y" * MOST_BYTES}, {b"x%d" % number: b"y" for number in range(MOST_HEADERS + 1)}],
)
def test_a_head_that_is_large_is_not_kept_since_every_idle_connection_may_have_one(
    headers: dict[bytes, bytes],
) -> None:
    lines = b"".join(b"%b: %b\r\n" % header for header in headers.items())
    head = HEAD.replace(b"\r\n\r\n", b"\r\n" + lines + b"\r\n")
    assert request_head(head + b"abcd", exchange(headers=headers)) is None
    answer = ANSWER.replace(b"\r\n\r\n", b"\r\n" + lines + b"\r\n")
    assert answer_head(answer + b"abcd", 200, [*LENGTH, *headers.items()]) is None


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
LENGTH = [(b"content-length", b"4")]


def test_the_head_of_a_whole_answer_is_known() -> None:
    known = answer_head(ANSWER + b"abcd", 200, LENGTH)
    assert known is not None
    assert (known.data, known.whole, known.headers) == (ANSWER, len(ANSWER) + 4, LENGTH)


@pytest.mark.parametrize(
    ("data", "status", "headers"),
    [
        (ANSWER + b"abc", 200, LENGTH),
        (ANSWER + b"abcde", 200, LENGTH),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + ANSWER + b"abcd", 200, LENGTH),
        (ANSWER + b"abcd", 500, LENGTH),
        (ANSWER + b"abcd", 200, []),
        (ANSWER + b"abcd", 200, LENGTH * 2),
        (ANSWER + b"abcd", 200, [*LENGTH, (b"transfer-encoding", b"chunked")]),
    ],
)
def test_an_answer_that_is_not_alone_whole_and_good_is_not_known(
    data: bytes, status: int, headers: list[tuple[bytes, bytes]]
) -> None:
    assert answer_head(data, status, headers) is None
