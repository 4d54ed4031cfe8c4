"""Hundreds of mistakes in files for `modelyard render`: each is told, and none ends in a traceback."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard.cli.render import main
from tests.cluster.provider import CHECKOUT
from tests.support.objects import (
    as_applied,
    make_environment,
    make_environment_version,
    make_gate,
    make_model,
    make_test,
    make_version,
)

HELLO = CHECKOUT / "examples" / "01-hello"

VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        5,
        -1,
        1e400,
        0.5,
        "",
        "x y",
        "2020",
        "v1",
        "\0",
        "\n",
        "a" * 300,
        "Hello_1",
        "\ud800",
        "10Gi",
    ),
    *([], {}, ["a"], {"a": 1}, [None], {5: "x"}),
)
SERVERS = (
    "uid",
    "namespace",
    "labels",
    "annotations",
    "creationTimestamp",
    "deletionTimestamp",
    "ownerReferences",
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands within a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*path, key)
        yield from places(one, (*path, key))


def mutated(documents: list[Any], rng: random.Random) -> list[Any]:
    """With one value left out or another, or with something that else the API server writes."""
    changed = copy.deepcopy(documents)
    spots = [
        *places(changed),
        *((number, "metadata", name) for number in range(len(changed)) for name in SERVERS),
    ]
    *way, last = rng.choice(spots)
    inner: Any = changed
    for key in way:
        inner = inner[key]
    if rng.random() < 0.3 and last in (inner if isinstance(inner, dict) else range(len(inner))):
        del inner[last]
    else:
        inner[last] = copy.deepcopy(rng.choice(VALUES))
    return changed


BASES = {
    "a model and a version": [
        document
        for file in sorted(HELLO.glob("*.yaml"))
        for document in yaml.safe_load_all(file.read_text("utf-8"))
    ],
    "a gate, a test and a pinned environment": [
        as_applied(made)
        for made in (
            make_environment(),
            make_environment_version(),
            make_model(gate=make_gate("rows"), callers=[{"podSelector": {"matchLabels": {"app": "front"}}}]),
            make_version(environmentVariables=[{"name": "LEVEL", "value": "1"}]),
            make_test(),
        )
    ],
}


@pytest.mark.parametrize("base", BASES)
def test_whatever_is_wrong_with_a_file_is_told_and_never_a_traceback(
    base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng, file, ended = random.Random(base), tmp_path / "f.yaml", Counter[int]()
    for _ in range(200):
        text = "\n---\n".join(map(json.dumps, mutated(BASES[base], rng)))
        file.write_text(text, encoding="utf-8")

        code = main(["-f", str(file)])

        printed, said = capsys.readouterr()
        assert code in (0, 2), text
        assert (printed == "") is (code == 2), text
        assert said, text
        ended[code] += 1
    assert min(ended[0], ended[2]) > 10
