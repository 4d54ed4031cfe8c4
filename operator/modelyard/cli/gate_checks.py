"""What the checks mean where a gate has several tests and the model is tried once: as strict as all of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.api.check_plan import CheckConfiguration, CheckName, Severity, Tolerance
from modelyard.api.custom_model import GateTest

_STRICTEST_FIRST: tuple[Severity, ...] = ("fail", "warn", "skip")


def counting(tests: Sequence[GateTest]) -> list[GateTest]:
    """The tests that say what the checks mean: those that must be passed, and of them those that have data.

    A test without data asks nothing of predictions, whatever it declares. Where all are so, all count.
    """
    required = [one for one in tests if one.required] or list(tests)
    return [one for one in required if one.dataset] or required


def merged(tests: Sequence[GateTest]) -> CheckConfiguration:
    """For each check the strictest that a test says of it, with the smallest tolerances and the largest sample."""
    each = [CheckConfiguration.model_validate(one.configuration.to_json()) for one in tests]
    comparing = [one for one in each if one.side_effects != "skip"] or each
    sampling = [
        one for one in each if one.null_value_imputation != "skip" or one.side_effects != "skip"
    ] or each
    tolerance = Tolerance(
        absolute=min(one.tolerance.absolute for one in comparing),
        relative=min(one.tolerance.relative for one in comparing),
    )
    strictest = {name.value: _strictest([one.severity(name) for one in each]) for name in CheckName}
    wire = strictest | {
        "tolerance": tolerance.model_dump(),
        "sampleRows": max(one.sample_rows for one in sampling),
    }
    return CheckConfiguration.model_validate(wire)


def merging_remark(tests: Sequence[GateTest]) -> str:
    """Which tests of a gate of several were taken; empty where there was nothing to choose."""
    if len(tests) < 2:
        return ""
    taken = counting(tests)
    names = ", ".join(f'"{one.name}"' for one in taken)
    how = (
        "checks are as strict as the strictest of the gate's tests"
        if len(taken) > 1
        else "checks are those of the gate's test"
    )
    left_out = ", ".join(f'"{one.name}" ({_why_not(one)})' for one in tests if one not in taken)
    return f"{how} {names}" + (f"; left out: {left_out}" if left_out else "")


def _why_not(test: GateTest) -> str:
    return "it has no data" if test.required else "it is not required"


def _strictest(severities: Sequence[Severity]) -> Severity:
    return min(severities, key=_STRICTEST_FIRST.index)
