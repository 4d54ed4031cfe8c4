"""Random inference requests, by a seed: every datatype, layout and option on which two servers have to agree. Pure."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from typing import Any

Document = dict[str, Any]
_LETTERS = string.ascii_letters + string.digits + " _-äßéλ日本語🏠\"\\'\n\t"

_OF_IDS = string.ascii_letters + string.digits + "-_.:/~"


def _integer(low: int, high: int) -> Callable[[random.Random], Any]:
    def made(chance: random.Random) -> int:
        return chance.choice((low, high, 0, chance.randint(low, high), chance.randint(0, min(high, 100))))

    return made


def _number(*edges: float) -> Callable[[random.Random], Any]:
    def made(chance: random.Random) -> float | None:
        return chance.choice((None, *edges, 0.0, -0.0, chance.gauss(0, 100), chance.random()))

    return made


def _text(chance: random.Random) -> str:
    return "".join(chance.choices(_LETTERS, k=chance.randint(0, 12)))


VALUES: dict[str, Callable[[random.Random], Any]] = {
    "BOOL": lambda chance: chance.random() < 0.5,
    **{f"UINT{bits}": _integer(0, 2**bits - 1) for bits in (8, 16, 32, 64)},
    **{f"INT{bits}": _integer(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    "FP16": _number(65504.0, 6e-08),
    "FP32": _number(3.4028234663852886e38, 1e-45, 0.1),
    "FP64": _number(1.7976931348623157e308, 5e-324, 0.1),
    "BYTES": _text,
}


def good_request(chance: random.Random) -> Document:
    """One that every server has to answer with a prediction a row."""
    rows = chance.randint(1, 12)
    names = [f"{_text(chance)}{number}" for number in range(chance.randint(1, 5))]
    document: Document = {"inputs": [_input(chance, name, rows) for name in names]}
    if chance.random() < 0.7:
        document["id"] = "".join(chance.choices(_OF_IDS, k=chance.randint(1, 40)))
    if chance.random() < 0.3:
        document["parameters"] = {"unknown": chance.choice((1, "two", [3], {"four": None}))}
    if chance.random() < 0.3:
        document["outputs"] = [{"name": "score"}]
    return document


def _input(chance: random.Random, name: str, rows: int) -> Document:
    datatype = chance.choice(list(VALUES))
    shape = chance.choice(([rows], [rows, 1], [rows, 3] if datatype != "BYTES" else [rows]))
    width = shape[1] if len(shape) > 1 else 1
    flat = [VALUES[datatype](chance) for _ in range(rows * width)]
    nested = datatype != "BYTES" and len(shape) > 1 and chance.random() < 0.5
    data = [flat[at : at + width] for at in range(0, len(flat), width)] if nested else flat
    made: Document = {"name": name, "shape": shape, "datatype": datatype, "data": data}
    if chance.random() < 0.4:
        made["parameters"] = {"content_type": "str" if datatype == "BYTES" else "np"}
    return made


def spoilt(chance: random.Random, document: Document) -> Document:
    """The same request with one mistake, which every server has to refuse. (MLServer lets texts have any shape.)"""
    inputs = [dict(one) for one in document["inputs"]]
    one = chance.choice(inputs)
    chance.choice(MISTAKES[one["datatype"] == "BYTES" :])(one)
    return {**document, "inputs": inputs}


def _too_many_rows(one: Document) -> None:
    one["shape"] = [one["shape"][0] + 1, *one["shape"][1:]]


def _unknown_datatype(one: Document) -> None:
    one["datatype"] = "FP12"


def _no_name(one: Document) -> None:
    del one["name"]


def _no_shape(one: Document) -> None:
    del one["shape"]


def _shape_of_text(one: Document) -> None:
    one["shape"] = ["many"]


MISTAKES = (_too_many_rows, _unknown_datatype, _no_name, _no_shape, _shape_of_text)
