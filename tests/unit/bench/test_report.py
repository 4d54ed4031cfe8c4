"""What `make bench` keeps of its runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bench.controllers import record_of
from tests.bench.report import LATEST, beginning, kept, merged


def comparison(ours: float, theirs: float, commit: str = "b") -> dict[str, Any]:
    samples = {"modelyard": [{"cpu_ms": ours}], "reference": [{"cpu_ms": theirs}]}
    return {"commit": commit, "samples": samples}


def test_a_run_replaces_what_it_measured_and_keeps_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "latest.json"
    kept(file, comparison=comparison(3, 2, "a"))
    kept(file, scale={"commit": "a", "sizes": []})
    kept(file, rest={"commit": "b", "writes": 0})
    kept(file, scale={"commit": "b", "sizes": [1]})

    assert json.loads(file.read_text()) == {
        "ratio": {"cpu_ms": 1.5},
        "comparison": comparison(3, 2, "a"),
        "scale": {"commit": "b", "sizes": [1]},
        "rest": {"commit": "b", "writes": 0},
    }


def test_a_new_comparison_brings_its_ratio() -> None:
    before = merged({}, {"comparison": comparison(3, 2)})

    assert merged(before, {"comparison": comparison(2, 2)})["ratio"] == {"cpu_ms": 1}


def test_of_a_record_in_the_older_form_only_the_ratio_stays() -> None:
    before = {"commit": "a", "samples": {}, "ratio": {"cpu_ms": 2.0}, "scale": [{"cpu_ms": 1}], "rest": None}

    assert merged(before, {"watching": {"commit": "b"}}) == {
        "ratio": {"cpu_ms": 2.0},
        "watching": {"commit": "b"},
    }


def test_a_section_says_of_which_code_it_is_and_how_busy_the_machine_was() -> None:
    found = beginning()

    assert len(found["commit"]) == 40
    assert isinstance(found["dirty"], bool)
    assert found["load"] >= 0


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        ("", LATEST),
        ("--steady --scale --rest", LATEST),
        ("--versions 200", None),
        ("--rounds 0 --scale", None),
        ("--rounds 0 --scale --json F", Path("F")),
    ],
)
def test_only_the_whole_form_is_kept_unless_asked_for(arguments: str, file: Path | None) -> None:
    assert record_of(arguments.split()) == file
