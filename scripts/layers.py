"""Run lint and the layers of tests one after the other, each in its own process, and say how each ended.

    python -m scripts.layers [lint] [fast] [apiserver] [gateway] [ground] [e2e]

All of them without an argument. Every layer runs even if one before it failed. At the end: what each layer took
of its budget, the slowest tests of all, and a table. The exit code is 0 only when each passed and ran at least one
test and, where CI is set, skipped none and, unless programs for the cluster had to be built first, took not much
more time than all budgets together.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.timings import (
    GENEROUS,
    Case,
    against_budget,
    against_whole_budget,
    longest,
    parse_cases,
    slowest,
)
from tests.cluster.tools import MODULES, ToolMissing, is_built
from tests.gateway import environments

PROGRAMS = "^tests/support/models/"
"""Models for tests: programs that import their neighbours, as they do in their pods, and no modules of ours."""

LINT = {
    "ruff check": ("ruff", "check", "."),
    "ruff format": ("ruff", "format", "--check", "."),
    "mypy (package)": ("mypy",),
    "mypy (tests, scripts)": ("mypy", f"--exclude={PROGRAMS}", "tests", "scripts"),
    "import-linter": ("lint-imports", "--no-cache"),
}

PYTEST = {
    "fast": ("tests/unit", "tests/passes", "tests/stories", "tests/shape"),
    "apiserver": ("tests/apiserver", "tests/passes", "tests/stories"),
    "gateway": ("tests/gateway",),
    "ground": ("tests/ground",),
    "e2e": ("tests/e2e",),
}

CHOICE = {"fast": "not apiserver and not thorough", "apiserver": "not memory or thorough"}
"""Passes and stories run in two layers: against an API server in memory, and against a real one. What is too
thorough to be fast goes with the second."""

SIDE_BY_SIDE = ("-n", "auto", "--maxprocesses", "4", "--dist")
WORKERS = {
    "fast": ("-n", str(min((os.cpu_count() or 1) + 1, 4)), "--dist", "loadfile"),
    "apiserver": (*SIDE_BY_SIDE, "worksteal"),
    "gateway": (*SIDE_BY_SIDE, "loadfile"),
}
"""Layers whose tests run in several processes, each with an API server, or a gateway, of its own. There is one
cluster. The fast layer has one process more than there are cores: a third of the time its tests wait for models,
deadlines and processes, and while one does, another computes."""

LAYERS = ("lint", *PYTEST)

_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many checks of one layer ran, and how they ended."""

    ran: int
    failed: int
    skipped: int


@dataclass(frozen=True, slots=True)
class Result:
    """One layer's end. `code` is that of its process."""

    layer: str
    code: int
    counts: Counts
    seconds: float
    cases: tuple[Case, ...] = ()

    def trouble(self, *, strict: bool) -> str:
        """Why this layer does not count as passed; empty when it does. `strict` refuses skipped tests."""
        if self.counts.failed or self.code not in (0, 5):
            return "failed"
        if self.counts.ran == 0:
            return "ran no tests"
        if strict and self.counts.skipped:
            return "skipped some"
        return ""


def parse_report(report: str) -> Counts:
    """Counts from pytest's JUnit report; all zero for an empty one (pytest died before it wrote any)."""
    if not report:
        return Counts(0, 0, 0)
    suites = list(ElementTree.fromstring(report).iter("testsuite"))

    def total(name: str) -> int:
        return sum(int(suite.get(name, "0")) for suite in suites)

    skipped = total("skipped")
    return Counts(total("tests") - skipped, total("failures") + total("errors"), skipped)


def table(results: Sequence[Result], *, strict: bool) -> str:
    """The closing table, one line a layer."""
    lines = [f"{'layer':<10} {'ran':>5} {'failed':>7} {'skipped':>8} {'seconds':>8}  result"]
    for result in results:
        counts = result.counts
        numbers = f"{counts.ran:>5} {counts.failed:>7} {counts.skipped:>8} {result.seconds:>8.1f}"
        lines.append(f"{result.layer:<10} {numbers}  {result.trouble(strict=strict) or 'passed'}")
    return "\n".join(lines)


def run_lint() -> tuple[int, Counts]:
    """Run each linter, all of them even if one fails."""
    codes = []
    for name, (tool, *arguments) in LINT.items():
        print(f"--- {name}", flush=True)
        codes.append(_run([str(Path(sys.executable).with_name(tool)), *arguments]))
    failed = sum(code != 0 for code in codes)
    return max(codes), Counts(len(codes), failed, 0)


def run_pytest(layer: str) -> tuple[int, str]:
    """Run one layer's tests; pytest prints as it always does. Its exit code and its JUnit report."""
    folders = [folder for folder in PYTEST[layer] if any(Path(folder).rglob("test_*.py"))]
    if not folders:
        return 5, ""
    choice = ["-m", CHOICE[layer]] if layer in CHOICE else []
    workers = WORKERS.get(layer, ())
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        code = _run([sys.executable, "-m", "pytest", *workers, *folders, *choice, f"--junitxml={report}"])
        return code, report.read_text() if report.exists() else ""


def _run(command: Sequence[str]) -> int:
    """The exit code of a command; an interrupt reaches it through the terminal, and it is waited for."""
    process = subprocess.Popen(command, env=with_bytecode(os.environ))
    try:
        return process.wait()
    except BaseException:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise


def with_bytecode(environment: Mapping[str, str]) -> dict[str, str]:
    """Some hundred processes compile our code once: where Python may not write beside it, it writes into .venv."""
    if not environment.get(_NO_BYTECODE):
        return dict(environment)
    allowed = {name: value for name, value in environment.items() if name != _NO_BYTECODE}
    return {"PYTHONPYCACHEPREFIX": str(Path(".venv/bytecode").resolve()), **allowed}


def run(layer: str) -> Result:
    """Run one layer under a header of its own."""
    print(f"\n===== {layer} =====", flush=True)
    began = time.monotonic()
    if layer == "lint":
        code, counts = run_lint()
        return Result(layer, code, counts, time.monotonic() - began)
    code, report = run_pytest(layer)
    seconds = time.monotonic() - began
    return Result(layer, code, parse_report(report), seconds, tuple(parse_cases(report)))


def timings(results: Sequence[Result]) -> str:
    """Layers against their budgets, and the slowest tests of all layers."""
    spent = [against_budget(result.layer, result.seconds, result.cases) for result in results]
    whole = against_whole_budget(_layers(results), _seconds(results))
    cases = [case for result in results for case in result.cases]
    return "\n".join([*spent, whole, *([slowest(cases)] if cases else [])])


def exit_code(results: Sequence[Result], *, strict: bool, warm: bool) -> int:
    """0 when all is well. A run that was `warm` at its beginning had nothing to build."""
    most = longest(_layers(results), warm=warm)
    late = strict and _seconds(results) > most
    if late:
        print(
            f"Too slow: more than {most:.0f} s, {GENEROUS:g} times what all budgets allow.", file=sys.stderr
        )
    return int(late or any(result.trouble(strict=strict) for result in results))


def is_warm() -> bool:
    """Whether all programs of the local cluster, and the clients' environments, are there already."""
    try:
        return all(is_built(module) for module in MODULES) and environments.are_made()
    except ToolMissing:
        return False


def _layers(results: Sequence[Result]) -> list[str]:
    return [result.layer for result in results]


def _seconds(results: Sequence[Result]) -> float:
    return sum(result.seconds for result in results)


def main(arguments: Sequence[str]) -> int:
    """Run the layers that are asked for; the table comes last even after an interrupt."""
    if unknown := [name for name in arguments if name not in LAYERS]:
        print(f"No such layer: {', '.join(unknown)}. There are: {', '.join(LAYERS)}", file=sys.stderr)
        return 2
    strict = bool(os.environ.get("CI"))
    warm = is_warm()
    results: list[Result] = []
    interrupted = False
    try:
        results.extend(run(layer) for layer in arguments or LAYERS)
    except KeyboardInterrupt:
        interrupted = True
    print(f"\n{timings(results)}\n\n{table(results, strict=strict)}", flush=True)
    if interrupted:
        print("Interrupted.", file=sys.stderr)
        return 130
    return exit_code(results, strict=strict, warm=warm)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
