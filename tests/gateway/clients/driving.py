"""The loop of a client's driver: a program in the client's environment that makes the calls it is told to make.

A line of stdin is a JSON object {"call": name, "arguments": {...}}. A line of stdout answers it: {"value": ...}, or
{"raised": the exception's type, "says": its text}. A tensor is {"name", "shape", "datatype", "data"}, flat, as are
those of an answer; "binary" tells the client how to send it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

Tensor = dict[str, Any]


def serve(calls: Mapping[str, Callable[..., object]]) -> None:
    """Make calls until stdin ends. What a client prints goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        asked = json.loads(line)
        answers.write(json.dumps(_made(calls[asked["call"]], asked["arguments"])) + "\n")


def _made(call: Callable[..., object], arguments: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"value": call(**arguments)}
    except Exception as error:  # noqa: BLE001 - whatever a client raises is what its user sees
        return {"raised": type(error).__name__, "says": str(error)}


def plain(array: Any) -> list[Any]:
    """The elements of a numpy array in row-major order, bytes as text."""
    return [one.decode() if isinstance(one, bytes) else one for one in array.ravel().tolist()]
