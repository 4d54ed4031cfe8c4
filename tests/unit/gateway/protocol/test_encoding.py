"""Compressed bodies."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib

import pytest

from modelyard.gateway.protocol import Refused, decoded
from modelyard.gateway.protocol.encoding import MOST_MEMBERS

NOT_FOLDED = "the body is not what its Content-Encoding says: it cannot be unfolded"

TEXT = b'{"inputs": []}' * 50
TOO_LARGE = f"the body unfolds to more than {len(TEXT)} bytes, the most that is taken"


def gzipped(data: bytes) -> bytes:
    """Without the time in its head: each process that runs tests must give them the same names."""
    return gzip.compress(data, mtime=0)


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("", TEXT),
        ("identity", TEXT),
        ("gzip", gzipped(TEXT)),
        ("x-gzip", gzipped(TEXT)),
        ("gzip", gzipped(TEXT[:9]) + gzipped(b"") + gzipped(TEXT[9:])),
        ("gzip", gzipped(TEXT) + gzipped(b"") * (MOST_MEMBERS - 1)),
        (" GZIP ", gzipped(TEXT)),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
    ],
)
def test_a_body_is_unfolded(encoding: str, body: bytes) -> None:
    assert decoded(body, encoding, len(TEXT)) == TEXT


@pytest.mark.parametrize(("encoding", "fold"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_body_of_nothing_unfolds_to_nothing(encoding: str, fold: object) -> None:
    assert callable(fold)
    assert decoded(fold(b""), encoding, 0) == b""


@pytest.mark.parametrize(
    ("encoding", "body", "status", "message"),
    [
        ("br", b"", 415, 'Content-Encoding is "br"; gzip, deflate and identity are understood'),
        (
            "gzip, gzip",
            b"",
            415,
            'Content-Encoding is "gzip, gzip"; gzip, deflate and identity are understood',
        ),
        ("gzip", TEXT, 400, NOT_FOLDED),
        ("deflate", TEXT, 400, NOT_FOLDED),
        ("gzip", b"", 400, "the compressed body ends too early"),
        ("deflate", b"", 400, "the compressed body ends too early"),
        ("gzip", gzipped(TEXT)[:-1], 400, "the compressed body ends too early"),
        ("gzip", gzipped(TEXT)[:-4] + b"abcd", 400, NOT_FOLDED),
        ("gzip", gzipped(TEXT) + b"ab", 400, "2 bytes follow the compressed body"),
        ("deflate", zlib.compress(TEXT) + zlib.compress(b""), 400, "8 bytes follow the compressed body"),
        ("gzip", gzipped(TEXT) + gzipped(b"") + b"ab", 400, "2 bytes follow the compressed body"),
        ("gzip", gzipped(TEXT) + gzipped(b"")[:-1], 400, "the compressed body ends too early"),
        ("gzip", gzipped(TEXT) + gzipped(b"a"), 413, TOO_LARGE),
        ("gzip", gzipped(TEXT[:-1]) + gzipped(b"ab"), 413, TOO_LARGE),
        ("gzip", gzipped(TEXT) + b"\x1f\x8babcdefghijklmnop", 400, NOT_FOLDED),
        (
            "gzip",
            gzipped(b"") * (MOST_MEMBERS + 1),
            400,
            f"the body has more than {MOST_MEMBERS} parts",
        ),
        ("gzip", gzipped(TEXT + b"a"), 413, TOO_LARGE),
        ("deflate", zlib.compress(TEXT * 9), 413, TOO_LARGE),
    ],
)
def test_a_body_that_cannot_be_taken_is_refused(
    encoding: str, body: bytes, status: int, message: str
) -> None:
    with pytest.raises(Refused) as caught:
        decoded(body, encoding, len(TEXT))
    assert (caught.value.status, caught.value.message) == (status, message)


def test_a_long_body_in_parts_is_unfolded() -> None:
    parts = [random.Random(seed).randbytes(150_000) for seed in range(3)]
    whole = b"".join(parts)
    assert decoded(b"".join(map(gzip.compress, parts)), "gzip", len(whole)) == whole


def test_a_bomb_takes_no_more_memory_than_its_bound() -> None:
    bomb = zlib.compress(bytes(20_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(Refused, match="the body unfolds to more than 1000000 bytes"):
            decoded(bomb, "deflate", 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
