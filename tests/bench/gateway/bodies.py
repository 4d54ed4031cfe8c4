"""What is asked: the same rows as an Open Inference Protocol request and as a model of ours is asked. Pure."""

from __future__ import annotations

import array
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

JSON = {"Content-Type": "application/json"}
SEED = 6
ROWS, WIDTH = 64, 2048
"""Of the binary tensor: 1 MiB of FP64."""

CASES = {"small": "100-byte JSON", "large": "100-KB JSON", "tensor": "1-MB binary tensor"}
"""Names and titles, in the order of the tables."""

_dumps = partial(json.dumps, separators=(",", ":"))


class Wrong(Exception):
    """An answer that is not what was asked for; the message says how."""


@dataclass(frozen=True, slots=True)
class Request:
    """One body with its headers."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)


@dataclass(frozen=True, slots=True)
class Case:
    """Rows to predict, in both shapes; the echo models predict the first number of each row's first column."""

    name: str
    protocol: Request
    contract: Request
    expected: tuple[float, ...]
    patience: int = 1
    """By how much longer its loads over many connections last than others: what is under way at the end of one has
    cost something, too, and must be little beside what was answered."""


def cases() -> dict[str, Case]:
    """All cases by name; the same in each run."""
    return {case.name: case for case in (small(), large(), tensor())}


def small() -> Case:
    """Six rows of one column: 100 bytes."""
    return _columns("small", {"area": [55.5, 28.0, 61.25, 70.5, 133.75, 90.0]})


def large() -> Case:
    """520 rows of ten columns: 100 KB."""
    chance = random.Random(SEED)
    columns = {f"column {number}": [chance.random() for _ in range(520)] for number in range(10)}
    return _columns("large", columns)


def tensor() -> Case:
    """64 rows of 2,048 numbers each as 1 MiB of binary data; a model is asked with lists in JSON."""
    chance = random.Random(SEED)
    values = [chance.random() for _ in range(ROWS * WIDTH)]
    data = array.array("d", values).tobytes()
    head = _dumps(
        {
            "inputs": [
                {
                    "name": "x",
                    "shape": [ROWS, WIDTH],
                    "datatype": "FP64",
                    "parameters": {"binary_data_size": len(data)},
                }
            ]
        }
    ).encode()
    headers = {
        "Content-Type": "application/octet-stream",
        "Inference-Header-Content-Length": str(len(head)),
    }
    rows = [values[row * WIDTH : (row + 1) * WIDTH] for row in range(ROWS)]
    contract = Request(_dumps({"X": {"x": rows}}).encode())
    expected = tuple(values[::WIDTH])
    protocol = Request(head + data, headers)
    return Case("tensor", protocol, contract, expected, patience=4)


def _columns(name: str, columns: Mapping[str, Sequence[float]]) -> Case:
    inputs = [
        {"name": column, "shape": [len(values)], "datatype": "FP64", "data": values}
        for column, values in columns.items()
    ]
    first = next(iter(columns.values()))
    protocol = Request(_dumps({"inputs": inputs}).encode())
    return Case(name, protocol, Request(_dumps({"X": columns}).encode()), tuple(first))


def check_protocol(case: Case, answer: bytes) -> None:
    """Raises Wrong unless this is the protocol's answer with what was expected."""
    outputs = _fields(answer).get("outputs")
    if not isinstance(outputs, list) or len(outputs) != 1:
        raise Wrong(f"not one output: {answer[:200]!r}")
    told = {key: outputs[0].get(key) for key in ("shape", "datatype", "data")}
    wanted = {"shape": [len(case.expected)], "datatype": "FP64", "data": list(case.expected)}
    if told != wanted:
        raise Wrong(f"another output than {_dumps(wanted)[:80]}...: {answer[:200]!r}")


def check_contract(case: Case, answer: bytes) -> None:
    """Raises Wrong unless this is a model's answer with what was expected."""
    if _fields(answer).get("predictions") != list(case.expected):
        raise Wrong(f"other predictions: {answer[:200]!r}")


def _fields(answer: bytes) -> dict[str, object]:
    try:
        found = json.loads(answer)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Wrong(f"no JSON object: {answer[:200]!r}")
    return found
