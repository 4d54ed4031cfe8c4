"""What two readers could take for different requests is refused, and nothing after it is read."""

from __future__ import annotations

import pytest

from tests.unit.gateway.rig import INFER, LIVE, QUESTION, gateway, model

POST = f"POST {INFER} HTTP/1.1\r\nHost: gateway\r\n".encode()
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

BAD = {
    "a length and chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
    "the same length twice": POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde",
    "two lengths in one": POST + b"Content-Length: 5, 5\r\n\r\nabcde",
    "a signed length": POST + b"Content-Length: +5\r\n\r\nabcde",
    "a negative length": POST + b"Content-Length: -5\r\n\r\n",
    "a hexadecimal length": POST + b"Content-Length: 0x5\r\n\r\nabcde",
    "an empty length": POST + b"Content-Length:\r\n\r\n",
    "a length beyond 64 bits": POST + b"Content-Length: 99999999999999999999\r\n\r\n",
    "a length with a space": POST + b"Content-Length: 1 0\r\n\r\n0123456789",
    "a bare LF after the request line": b"GET /v2 HTTP/1.1\nHost: gateway\r\n\r\n",
    "a bare LF after a header": POST + b"A: b\nContent-Length: 0\r\n\r\n",
    "a bare CR in a header": POST + b"A: b\rContent-Length: 0\r\n\r\n",
    "a bare LF at the end of the headers": POST + b"Content-Length: 0\r\n\n",
    "a header that goes on in the next line": POST + b"A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "a space before the first header": b"GET /v2 HTTP/1.1\r\n Host: gateway\r\n\r\n",
    "a space before a colon": POST + b"Content-Length : 0\r\n\r\n",
    "a header without a colon": POST + b"Content-Length\r\n\r\n",
    "a header without a name": POST + b": 0\r\n\r\n",
    "a NUL in a header": POST + b"A: b\0c\r\n\r\n",
    "a control character in a name": POST + b"A\x01: b\r\n\r\n",
    "an encoding that is unknown": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "an encoding that is none": POST + b"Transfer-Encoding: identity\r\n\r\n",
    "chunks inside of another encoding": POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "another encoding inside of chunks": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunks twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks with a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST /v2 HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk size that is signed": CHUNKED + b"+5\r\nabcde\r\n0\r\n\r\n",
    "a chunk size that is negative": CHUNKED + b"-1\r\n\r\n",
    "a chunk size with a prefix": CHUNKED + b"0x5\r\nabcde\r\n0\r\n\r\n",
    "a chunk size that is no number": CHUNKED + b"g\r\n",
    "a chunk size that is empty": CHUNKED + b"\r\nabcde\r\n0\r\n\r\n",
    "a chunk size with a space": CHUNKED + b"5 \r\nabcde\r\n0\r\n\r\n",
    "a chunk size beyond 64 bits": CHUNKED + b"FFFFFFFFFFFFFFFFF\r\n",
    "a chunk size that ends in a bare LF": CHUNKED + b"5\nabcde\r\n0\r\n\r\n",
    "a chunk that ends in a bare LF": CHUNKED + b"5\r\nabcde\n0\r\n\r\n",
    "a chunk that is longer than its size": CHUNKED + b"5\r\nabcdefg\r\n0\r\n\r\n",
    "a line break in a chunk extension": CHUNKED + b'5;a="\n"\r\nabcde\r\n0\r\n\r\n',
    "a length after the chunks": CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n",
    "no Host": b"GET /v2 HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET /v2 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a space in the path": b"GET /v2 /x HTTP/1.1\r\nHost: gateway\r\n\r\n",
    "a control character in the path": b"GET /v2\x01 HTTP/1.1\r\nHost: gateway\r\n\r\n",
    "an unknown method": b"FETCH /v2 HTTP/1.1\r\nHost: gateway\r\n\r\n",
    "a greeting of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "no HTTP": b"hello\r\n\r\n",
}


@pytest.mark.parametrize("request_", BAD.values(), ids=BAD.keys())
async def test_what_is_ambiguous_is_refused_and_ends_the_connection(request_: bytes) -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        client = await rig.client()
        reply = await client.ask(request_ + LIVE)
        assert (reply.status, reply.headers["connection"]) == (400, "close")
        assert reply.json["error"]
        assert await client.closed()
        assert behind.asked == []


async def test_a_version_of_http_that_is_not_spoken_is_refused() -> None:
    async with gateway() as rig:
        for version in ("HTTP/0.9", "HTTP/2.0", "HTTP/1.2", "HTTP/9.9"):
            reply = await rig.ask(f"GET /v2 {version}\r\nHost: gateway\r\n\r\n".encode())
            assert reply.status in (400, 505)
            assert reply.headers["connection"] == "close"
        assert (await rig.ask(b"GET /v2\r\n\r\n")).status == 505


async def test_what_was_asked_before_is_answered_first() -> None:
    async with model() as behind, gateway([behind.address]) as rig:
        client = await rig.client()
        question = POST + b"Content-Length: %d\r\n\r\n" % len(QUESTION) + QUESTION
        client.send(question + BAD["two lengths"] + LIVE)
        assert [(await client.reply()).status, (await client.reply()).status] == [200, 400]
        assert await client.closed()
