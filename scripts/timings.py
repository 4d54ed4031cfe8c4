"""Where the time of the tests goes: the slowest of all, and what each layer may take. Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Collection, Iterable, Mapping, Sequence
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
    """What a layer may take, save the tests in one folder."""

    seconds: float
    but: str = ""


BUDGETS: Mapping[str, Budget] = {
    "lint": Budget(30),
    "fast": Budget(30, but="tests/shape"),
    "apiserver": Budget(210),
    "gateway": Budget(60),
    "ground": Budget(270),
    "e2e": Budget(900),
}
"""On a machine of two cores, with the programs of the local cluster and the clients' environments in its cache."""

GENEROUS = 1.5
"""A machine may be slower by that much than the one that the budgets are for."""

COLD = 2
"""Times its budget that a whole run may take that must first build what the local cluster is made of."""


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
    """What a layer took of its budget. Tests run side by side: those that do not count take their share."""
    budget = BUDGETS[layer]
    total = sum(case.seconds for case in cases)
    apart = sum(case.seconds for case in cases if budget.but and case.path.startswith(f"{budget.but}/"))
    counted = seconds - (seconds * apart / total if apart else 0)
    but = f" (without {budget.but})" if budget.but else ""
    word = "over" if counted > budget.seconds else "within"
    return f"{layer}: {counted:.1f} s{but}, {word} its {budget.seconds:g} s"


def whole_budget(layers: Iterable[str]) -> float:
    """The seconds that these layers may take together, with nothing left out."""
    return sum(BUDGETS[layer].seconds for layer in layers)


def against_whole_budget(layers: Collection[str], seconds: float) -> str:
    """What all layers of a run took of their budgets."""
    budget = whole_budget(layers)
    word = "over" if seconds > budget else "within"
    return f"all: {seconds:.1f} s, {word} their {budget:g} s"


def longest(layers: Collection[str], *, warm: bool) -> float:
    """The seconds beyond which no machine's slowness explains a run; twice as many if there was much to build."""
    return GENEROUS * whole_budget(layers) * (1 if warm else COLD)


def _path(classname: str) -> str:
    """`tests.unit.test_a.TestB` stands in tests/unit/test_a.py."""
    parts = classname.split(".")
    modules = [number for number, part in enumerate(parts) if part.startswith("test_")]
    end = modules[0] + 1 if modules else len(parts)
    return "/".join(parts[:end]) + ".py"
