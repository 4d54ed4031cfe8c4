"""Data that a test cannot use: a mistake of the test, which must not condemn the model. Pure.

    a ConfigMap that is missing, or has no such key     the test waits, and looks again
    a ConfigMap whose rows the runner cannot read       `aborted`; the gate's test is made anew once it is mended
    rows written in the test itself                     `failed`: they cannot change, so that no wait would help

The runner reads the rows, never the operator: what users wrote is parsed in a pod of its own, which has a limit.
"""

from __future__ import annotations

from modelyard.api.check_plan import CheckOutcome, CheckStatus, CheckSummary
from modelyard.api.model_test import ModelTest
from modelyard.reconcilers.model_test.facts import Facts


def can_be_mended(test: ModelTest) -> bool:
    """Whether the data can change without the test: it is in a ConfigMap."""
    return test.spec.dataset is not None and test.spec.dataset.config_map is not None


def accused(summary: CheckSummary, facts: Facts) -> CheckSummary:
    """The summary of a run that could not use its data, with the next step."""
    step = _step(facts)
    checks = {name: _with_step(check, step) for name, check in summary.checks.items()}
    error = f"{summary.error}. {step}"
    return summary.model_copy(update={"checks": checks, "error": error, "unusable_data": True})


def _with_step(check: CheckOutcome, step: str) -> CheckOutcome:
    if check.status is not CheckStatus.FAILED:
        return check
    return CheckOutcome(status=check.status, message=f"{check.message}. {step}")


def _step(facts: Facts) -> str:
    dataset = facts.test.spec.dataset
    if dataset is not None and dataset.config_map is not None:
        mend = f'mend ConfigMap "{dataset.config_map.name}"'
        if facts.is_of_gate:
            return f"Next: {mend}; the test is then made anew"
        return f"Next: {mend}, then create a new ModelTest"
    if facts.is_of_gate:
        return (
            "Next: write data that can be used into the gate of the model; an edited gate asks with new tests"
        )
    return "Next: create a new ModelTest with data that can be used"
