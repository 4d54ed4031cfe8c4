"""Requests as nobody sends them: mostly as they should be, here and there not. Made from a seed, a dozen in a
millisecond, so that many thousands can be tried.
"""

from __future__ import annotations

import json
from math import prod
from random import Random
from typing import Any

from modelyard.gateway.protocol.datatypes import DATATYPES

_NAMES = ["x", "y", "ü", "", "a\nb", "\ud800"]
_NUMBERS = [
    0,
    1,
    -1,
    1.5,
    255,
    256,
    2**31,
    2**53 + 1,
    2**63,
    2**64 - 1,
    2**64,
    2**70,
    -(2**63),
    1e39,
    1e300,
    65520,
]
_ODD = [
    float("nan"),
    float("inf"),
    float("-inf"),
    None,
    True,
    False,
    "",
    "a",
    "NaN",
    [],
    [1],
    [[1]],
    {},
    {"a": 1},
]


_FITTING = {"BOOL": True, "BYTES": '"a"', "FP16": 1.5, "FP32": 1.5, "FP64": 1.5}


def stranger(seed: int) -> tuple[bytes, int | None]:
    """A body, and the length of its JSON where something follows."""
    random = Random(seed)
    raw: list[bytes] = []
    text = json.dumps(_request(random, raw)).encode("utf-8", "surrogatepass")
    if random.random() < 0.1:
        at = random.randrange(len(text))
        text = text[:at] + random.randbytes(random.randrange(3)) + text[at + random.randrange(3) :]
    if not raw and random.random() < 0.9:
        return text, None
    off = random.choice([-1, 1, 10**18]) if random.random() < 0.05 else 0
    return b"".join((text, *raw)), len(text) + off


def _value(random: Random) -> Any:
    return random.choice(_NUMBERS) if random.random() < 0.6 else random.choice(_ODD)


def _nearly(random: Random, usual: Any) -> Any:
    return usual if random.random() < 0.98 else _value(random)


def _some(random: Random, **fields: Any) -> dict[str, Any]:
    """Most of the fields."""
    return {name: _nearly(random, field) for name, field in fields.items() if random.random() < 0.99}


def _request(random: Random, raw: list[bytes]) -> Any:
    rows = random.choice([1, 1, 2, 3])
    names = random.choice([["x"], ["x"], ["x", "y"], ["x", "ü", "x"]])
    fields: dict[str, Any] = {"inputs": [_input(random, name, rows, raw) for name in names]}
    if random.random() < 0.3:
        fields["id"] = random.choice(_NAMES)
    if random.random() < 0.3:
        fields["parameters"] = _some(random, binary_data_output=random.choice([True, False]))
    if random.random() < 0.3:
        wanted = _some(random, binary_data=random.choice([True, False]))
        fields["outputs"] = [_some(random, name=random.choice(_NAMES), parameters=wanted)]
    return _nearly(random, _some(random, **fields))


def _input(random: Random, name: str, rows: int, raw: list[bytes]) -> Any:
    datatype = random.choice(list(DATATYPES.values()))
    shape = [rows, *random.choice([[], [], [1], [2], [2, 1], [1, 3]])]
    count = prod(shape)
    if random.random() < 0.1:
        shape[random.randrange(len(shape))] = random.choice([0, -1, 2, 10**18, 2**70])
    fields: dict[str, Any] = {"name": name, "shape": shape, "datatype": datatype.name, "parameters": {}}
    if random.random() < 0.4:
        raw.append(_raw(random, datatype.size, count))
        fields["parameters"]["binary_data_size"] = len(raw[-1]) + (random.random() < 0.05)
    else:
        fields["data"] = _data(random, _FITTING.get(datatype.name, 1), count)
    if random.random() < 0.2:
        fields["parameters"]["content_type"] = random.choice(["np", "pd", "str", "pd_json"])
    return _nearly(random, _some(random, **fields))


def _raw(random: Random, size: int, count: int) -> bytes:
    if random.random() < 0.2:
        return random.randbytes(random.randrange(40))
    if size == 1:
        return random.choice([b"\0", b"\1"]) * count
    if size:
        return random.randbytes(size * count)
    return b"".join(random.choice([b"\1\0\0\0a", b"\2\0\0\0\xc3\xbc", b"\0\0\0\0"]) for _ in range(count))


def _data(random: Random, usual: Any, count: int) -> Any:
    values = [usual if random.random() < 0.9 else _value(random) for _ in range(count)]
    return [values] if random.random() < 0.1 else values
