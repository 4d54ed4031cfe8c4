"""What becomes of the report of a test, decision by decision."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modelyard.api.check_plan import ReportDigest
from modelyard.api.kinds import MODEL_TEST
from modelyard.api.model_test import ModelTest
from modelyard.manifests.metadata import Owner
from modelyard.reconcilers.model_test.report import (
    PATIENCE,
    Promise,
    afterwards,
    expires_at,
    is_due,
    is_settled,
    lost,
    not_yet,
    pause,
    promised,
    status_after,
    stored,
)
from modelyard.status.outcomes import Settled, Waiting
from tests.support.objects import NAMESPACE, make_test

Manifest = dict[str, Any]

END = datetime(2026, 1, 1, 12, tzinfo=UTC)
DIGEST = ReportDigest(length=8, sha256="a" * 64)
OWNER = Owner(MODEL_TEST, NAMESPACE, "hello-1-check", "66666666-7777-8888-9999-000000000000")
PROMISE = Promise("hello-1-check-x", DIGEST)
SUMMARY = {"v": 1, "overallStatus": "succeeded", "checks": {}}


def after(seconds: float) -> datetime:
    return END + timedelta(seconds=seconds)


def runner(message: str | None, container: str = "check") -> Manifest:
    """A runner's pod; None: it runs."""
    state = {"running": {}} if message is None else {"terminated": {"exitCode": 0, "message": message}}
    return {
        "metadata": {"name": "hello-1-check-x"},
        "status": {"containerStatuses": [{"name": container, "state": state}]},
    }


def over(*conditions: tuple[str, str, str], generation: int = 1, **spec: Any) -> ModelTest:
    """A test that ended at END and said this."""
    said = [
        {
            "type": type,
            "status": status,
            "reason": reason,
            "message": "",
            "observedGeneration": 1,
            "lastTransitionTime": "2026-01-01T12:00:00Z",
        }
        for type, status, reason in conditions
    ]
    status = {
        "observedGeneration": 1,
        "overallStatus": "succeeded",
        "completedAt": "2026-01-01T12:00:00Z",
        "conditions": said,
    }
    return ModelTest.model_validate(make_test(metadata={"generation": generation}, status=status, **spec))


# --- where it is -----------------------------------------------------------------------------------------------


def test_the_runners_last_word_tells_what_its_log_holds() -> None:
    told = json.dumps({**SUMMARY, "report": DIGEST.model_dump()})

    assert promised([runner(told)]) == PROMISE


@pytest.mark.parametrize(
    ("pods", "says"),
    [
        ([], "has no pod whose log could hold a report"),
        ([{"metadata": {"name": "p"}}], "ended before its runner did"),
        ([runner(None)], "ended before its runner did"),
        ([runner(json.dumps(SUMMARY), container="sidecar")], "ended before its runner did"),
        ([runner("")], 'left no report: .* empty: .*kubectl logs "hello-1-check-x"'),
        ([runner("Killed")], "left no report: .* not a check summary"),
        ([runner(json.dumps(SUMMARY))], 'made no report. .*kubectl logs "hello-1-check-x"'),
    ],
)
def test_a_run_without_a_report_says_why(pods: list[Manifest], says: str) -> None:
    found = promised(pods)
    assert isinstance(found, str)
    assert re.search(says, found)


# --- how long it is tried --------------------------------------------------------------------------------------


def test_what_cannot_be_read_now_may_be_read_later() -> None:
    kept = not_yet(PROMISE, "busy", ended_at=END, now=after(59))

    assert (kept.finding.status, kept.finding.reason, kept.is_settled) == ("Unknown", "ReadingLog", False)


def test_one_cause_after_another_says_the_same() -> None:
    first = not_yet(PROMISE, "busy", ended_at=END, now=after(1))

    assert first == not_yet(PROMISE, "away", ended_at=END, now=after(9))


def test_after_a_minute_it_is_given_up_and_says_why() -> None:
    kept = not_yet(PROMISE, "busy", ended_at=END, now=END + PATIENCE)

    assert (kept.finding.status, kept.finding.reason) == ("False", "ReportIncomplete")
    assert kept.finding.message == "given up after 60 s: busy"


def test_tries_become_rarer_and_the_last_is_at_the_end_of_the_minute() -> None:
    now, tries = END, [0.0]
    while now < END + PATIENCE:
        now += pause(END, now)
        tries.append((now - END).total_seconds())

    assert tries == [0, 2, 4, 8, 16, 32, 60]


def test_the_wake_by_the_verdicts_own_write_is_no_further_try() -> None:
    assert [is_due(END, after(seconds)) for seconds in (0, 1.9, 2)] == [False, False, True]


@pytest.mark.parametrize(
    ("said", "settled"), [("Unknown", False), ("True", True), ("False", True), (None, True)]
)
def test_what_was_said_once_is_left_alone(said: str | None, settled: bool) -> None:
    """A test that ended under an operator that kept no reports says nothing, and nothing is read for it."""
    conditions = [("ReportStored", said, "ReadingLog")] if said else []

    assert is_settled(over(*conditions)) is settled


# --- what is said ----------------------------------------------------------------------------------------------


def test_what_is_kept_says_how_to_read_it() -> None:
    kept = stored(OWNER, DIGEST)

    assert kept.report is not None
    assert kept.report.to_json() == {"configMap": kept.report.config_map, "length": 8, "sha256": "a" * 64}
    assert kept.finding.message == (
        f'in ConfigMap "{kept.report.config_map}"; read it with: modelyard report hello-1-check --namespace {NAMESPACE}'
    )


def test_the_rest_of_the_status_stays_as_it_was() -> None:
    test = over(("Ready", "True", "Completed"), ("ReportStored", "Unknown", "ReadingLog"))

    status = status_after(test, stored(OWNER, DIGEST), after(9))

    before = make_test(status=test.status.to_json())["status"]
    told = {condition["type"]: condition for condition in status["conditions"]}
    assert told["Ready"] == before["conditions"][0]
    assert (told["ReportStored"]["status"], told["ReportStored"]["lastTransitionTime"]) == (
        "True",
        "2026-01-01T12:00:09Z",
    )
    assert {name: status[name] for name in status if name not in ("conditions", "report")} == {
        "observedGeneration": 1,
        "overallStatus": "succeeded",
        "completedAt": "2026-01-01T12:00:00Z",
    }


def test_a_spec_that_was_changed_after_the_end_is_observed() -> None:
    status = status_after(over(("Ready", "True", "Completed"), generation=2), None, after(9))

    assert status["observedGeneration"] == 2
    assert [condition["observedGeneration"] for condition in status["conditions"]] == [2]
    assert [condition["lastTransitionTime"] for condition in status["conditions"]] == ["2026-01-01T12:00:00Z"]


def test_a_report_that_was_kept_stays_named() -> None:
    test = over(("ReportStored", "True", "Stored"))
    kept = test.model_copy(
        update={"status": test.status.model_copy(update={"report": stored(OWNER, DIGEST).report})}
    )

    assert "report" in status_after(kept, None, after(9))
    assert "report" not in status_after(over(), lost("gone"), after(9))


# --- how long the test is kept ---------------------------------------------------------------------------------


def test_a_test_is_kept_unless_it_says_for_how_long() -> None:
    assert expires_at(over(), END) is None
    assert expires_at(over(ttlSecondsAfterFinished=0), END) == END
    assert expires_at(over(ttlSecondsAfterFinished=90), END) == after(90)


def test_what_a_model_made_is_kept_as_its_gate_says() -> None:
    reference = {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "CustomModel",
        "name": "hello",
        "uid": "u",
        "controller": True,
    }
    manifest = make_test(metadata={"ownerReferences": [reference]}, ttlSecondsAfterFinished=0)

    assert expires_at(ModelTest.model_validate(manifest), END) is None


@pytest.mark.parametrize(
    ("seconds", "settled", "ttl", "waits"),
    [
        (0, True, None, None),
        (0, True, 90, 90),
        (30, True, 90, 60),
        (100, True, 90, 0),
        (0, False, None, 2),
        (8, False, 90, 8),
        (8, False, 9, 1),
    ],
)
def test_it_wakes_for_what_is_due_first(
    seconds: float, settled: bool, ttl: int | None, waits: float | None
) -> None:
    outcome = afterwards(over(ttlSecondsAfterFinished=ttl), END, settled=settled, now=after(seconds))

    assert outcome == (Settled() if waits is None else Waiting(timedelta(seconds=waits)))
