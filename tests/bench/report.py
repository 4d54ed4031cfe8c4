"""What `make bench` prints, and the record that it keeps. A run replaces in a record what it measured, no more."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LATEST = ROOT / "docs" / "benchmarks" / "latest.json"
_RECORDS = ":!docs/benchmarks"
"""Left out: one section's figures do not change the code that the next one measures."""

SECTIONS = ("comparison", "watching", "scale", "rest")
"""Of a record; beside them is `ratio`, of the comparison."""

Section = dict[str, Any]


def beginning() -> Section:
    """In what state of the code and of the machine a section is begun: its first fields."""
    return {
        "commit": _git("rev-parse", "HEAD"),
        "dirty": bool(_git("status", "--porcelain", "--untracked-files=no", "--", ".", _RECORDS)),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
    }


def _git(*arguments: str) -> str:
    told = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return told.stdout.strip()


def kept(file: Path, **measured: Section) -> None:
    """Put these sections into the record, which may not be there yet; the others stay."""
    before = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(merged(before, measured), indent=1) + "\n")


def merged(before: Mapping[str, Any], measured: Mapping[str, Section]) -> dict[str, Any]:
    """A record with these sections. What has no commit of its own in `before` is of an older form, and goes."""
    whole = {name: before[name] for name in SECTIONS if _has_commit(before.get(name))} | dict(measured)
    ratio = ratios(measured["comparison"]["samples"]) if "comparison" in measured else before.get("ratio", {})
    return {"ratio": ratio} | {name: whole[name] for name in SECTIONS if name in whole}


def table(samples: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """Medians with their range, one line a measure, and ours over the reference."""
    ours, theirs = samples["modelyard"], samples["reference"]
    lines = ["| measure | modelyard | reference | ratio |", "|---|---|---|---|"]
    ratio = ratios(samples)
    for name in ours[0]:
        here, there = ([sample[name] for sample in found] for found in (ours, theirs))
        times = f"{ratio[name]:.2f}" if name in ratio else "-"
        lines.append(f"| {name} | {_spread(here)} | {_spread(there)} | {times} |")
    return "\n".join(lines)


def _has_commit(section: object) -> bool:
    return isinstance(section, dict) and "commit" in section


def ratios(samples: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, float]:
    """Our median over the reference's, for each measure in which the reference's is not zero."""
    ours, theirs = samples["modelyard"], samples["reference"]
    below = {name: statistics.median(sample[name] for sample in theirs) for name in ours[0]}
    return {
        name: round(statistics.median(sample[name] for sample in ours) / median, 3)
        for name, median in below.items()
        if median
    }


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def listed(figures: Mapping[str, float]) -> str:
    """In one line."""
    return ", ".join(f"{figure:.3g} {what}" for what, figure in figures.items())
