"""Bodies that came compressed, bounded by what they unfold to. Pure."""

from __future__ import annotations

import zlib
from typing import Final

from modelyard.gateway.protocol.refusal import Refused
from modelyard.gateway.protocol.words import quoted

_GZIP, _ZLIB, _RAW = 31, 15, -15
"""What `wbits` means to zlib."""

MOST_MEMBERS: Final = 4096
"""Parts of a gzip body: each by itself costs time, however little is in it."""

_MEMBER: Final = b"\x1f\x8b"
_STEP: Final = 16 * 1024
"""Bytes of the parts after the first that are looked at together."""


def decoded(body: bytes, encoding: str, limit: int) -> bytes:
    """The body without its Content-Encoding (gzip, deflate, identity); 413 beyond `limit` bytes, 415 for others."""
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return _unfolded(body, _GZIP, limit)
        case "deflate":
            return _unfolded(body, _ZLIB if _has_zlib_header(body) else _RAW, limit)
        case _:
            raise Refused(
                415, f"Content-Encoding is {quoted(encoding)}; gzip, deflate and identity are understood"
            )


def _has_zlib_header(body: bytes) -> bool:
    """Some clients send bare deflate data, as HTTP was long misread."""
    return len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0


def _unfolded(body: bytes, wbits: int, limit: int) -> bytes:
    stream = zlib.decompressobj(wbits)
    try:
        text = stream.decompress(body, limit + 1)
    except zlib.error:
        raise _cannot() from None
    if len(text) > limit:
        raise _too_large(limit)
    if not stream.eof:
        raise Refused(400, "the compressed body ends too early")
    if rest := stream.unused_data:
        if wbits != _GZIP or not rest.startswith(_MEMBER):
            raise Refused(400, f"{len(rest)} bytes follow the compressed body")
        return text + _members(memoryview(rest), limit - len(text), limit)
    return text


def _members(rest: memoryview, room: int, limit: int) -> bytes:
    """The gzip members that follow the first one; up to `room` bytes."""
    texts: list[bytes] = []
    for _ in range(MOST_MEMBERS - 1):
        text, rest = _member(rest, room, limit)
        texts.append(text)
        room -= len(text)
        if not rest:
            return b"".join(texts)
        if not bytes(rest[:2]).startswith(_MEMBER):
            raise Refused(400, f"{len(rest)} bytes follow the compressed body")
    raise Refused(400, f"the body has more than {MOST_MEMBERS} parts")


def _member(rest: memoryview, room: int, limit: int) -> tuple[bytes, memoryview]:
    """One member, and what follows it. Little is handed to zlib at once: what it has no use for, it copies."""
    stream = zlib.decompressobj(_GZIP)
    text = bytearray()
    while not stream.eof:
        if not rest:
            raise Refused(400, "the compressed body ends too early")
        try:
            text += stream.decompress(rest[:_STEP], room - len(text) + 1)
        except zlib.error:
            raise _cannot() from None
        if len(text) > room:
            raise _too_large(limit)
        rest = rest[min(_STEP, len(rest)) - len(stream.unused_data) :]
    return bytes(text), rest


def _cannot() -> Refused:
    return Refused(400, "the body is not what its Content-Encoding says: it cannot be unfolded")


def _too_large(limit: int) -> Refused:
    return Refused(413, f"the body unfolds to more than {limit} bytes, the most that is taken")
