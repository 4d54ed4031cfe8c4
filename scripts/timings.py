"""Where the time of the tests goes: the slowest of all, and what each layer may take. Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

SLOWEST = 10


@dataclass(frozen=True, slots=True)
class Case:
    """One test: where it stands, what it is called, and the seconds that it took."""

    path: str
    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Budget:
    """What the tests of a layer may take together, save those in one folder."""

    seconds: float
    but: str = ""


BUDGETS: Mapping[str, Budget] = {
    "fast": Budget(30, but="tests/shape"),
    "apiserver": Budget(240),
}
"""Nothing fails beyond its budget: how fast a machine is says nothing about the code. Whoever reads it cares."""


def parse_cases(report: str) -> list[Case]:
    """The tests of pytest's JUnit report; none for an empty one."""
    if not report:
        return []
    found = ElementTree.fromstring(report).iter("testcase")
    return [
        Case(_path(case.get("classname", "")), case.get("name", ""), float(case.get("time", "0")))
        for case in found
    ]


def slowest(cases: Iterable[Case]) -> str:
    """The slowest tests, one a line."""
    ordered = sorted(cases, key=lambda case: -case.seconds)[:SLOWEST]
    lines = [f"{case.seconds:>8.1f}  {case.path}::{case.name}" for case in ordered]
    return "\n".join([f"{'seconds':>8}  the slowest {len(lines)} tests", *lines])


def against_budget(layer: str, seconds: float, cases: Sequence[Case]) -> str:
    """What a layer took of its budget; empty for one without."""
    budget = BUDGETS.get(layer)
    if budget is None:
        return ""
    apart = sum(case.seconds for case in cases if budget.but and case.path.startswith(f"{budget.but}/"))
    but = f" (without {budget.but})" if budget.but else ""
    word = "over" if seconds - apart > budget.seconds else "within"
    return f"{layer}: {seconds - apart:.1f} s{but}, {word} its {budget.seconds:g} s"


def _path(classname: str) -> str:
    """`tests.unit.test_a.TestB` stands in tests/unit/test_a.py."""
    parts = classname.split(".")
    modules = [number for number, part in enumerate(parts) if part.startswith("test_")]
    end = modules[0] + 1 if modules else len(parts)
    return "/".join(parts[:end]) + ".py"
