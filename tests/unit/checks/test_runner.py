"""The checks against real model servers: one process each, on loopback."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from dataclasses import replace
from typing import Any

import pytest

from modelyard.api.check_plan import CheckName, CheckOutcome, CheckPlan, CheckSummary
from modelyard.checks.data import DataSet
from modelyard.checks.limits import Limits
from modelyard.checks.run import Progress, Run
from modelyard.checks.runner import run_checks
from tests.unit.checks.conftest import StartModel

PREFIX = "/models/team/hello"
DATA = DataSet({"a": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "b": [0.5, None] * 5})
LIMITS = Limits(
    ask_timeout=5,
    ask_interval=0.02,
    strange_seconds=0.2,
    settle_seconds=0.05,
    settle_interval=0.02,
    connect_timeout=5,
    first_rows=3,
    batch_rows=4,
    answer_bytes=1024 * 1024,
    aftermath_seconds=0,
    back_seconds=0.5,
    reserve_seconds=0.5,
)


def plan(*replicas: str, service: str | None = None, **fields: Any) -> CheckPlan:
    """A plan for replicas `hello-0`, `hello-1`... at these addresses; the first is the Service too."""
    wire = {
        "test": "team/gate",
        "model": "hello",
        "version": "1.0",
        "urlPrefix": PREFIX,
        "service": service or replicas[0],
        "replicas": [
            {"name": f"hello-{number}", "uid": str(number), "address": address}
            for number, address in enumerate(replicas)
        ],
        "targetType": "Regression",
        "targetName": "y",
        "timeoutSeconds": 20,
        **fields,
    }
    return CheckPlan.model_validate(wire)


async def check(
    plan: CheckPlan, data: DataSet | None = DATA, limits: Limits = LIMITS
) -> tuple[CheckSummary, list[str]]:
    """The summary of a run, and its log."""
    lines: list[str] = []
    summary = await run_checks(Run(plan, data, limits, lines.append, Progress()))
    return summary, lines


async def check_late(plan: CheckPlan, limits: Limits = LIMITS) -> CheckSummary:
    """The summary of a run that begins when all but half a second of its time is gone."""
    started = time.monotonic() - limits.budget(plan.timeout_seconds) + 0.5
    summary = await run_checks(Run(plan, DATA, limits, lambda _line: None, Progress(started=started)))
    assert limits.budget(plan.timeout_seconds) <= summary.duration_seconds < plan.timeout_seconds
    return summary


def outcomes(summary: CheckSummary) -> list[str]:
    return [f"{name} {outcome.status}: {outcome.message}" for name, outcome in summary.checks.items()]


@pytest.mark.parametrize(
    ("model", "target"),
    [
        ("good_regression", "Regression"),
        ("good_binary", "Binary"),
        ("good_multiclass", "Multiclass"),
        ("good_anomaly", "Anomaly"),
    ],
)
async def test_good_model_succeeds(model: str, target: str, start_model: StartModel) -> None:
    address = start_model(model, URL_PREFIX=PREFIX, CLASS_LABELS=json.dumps(["low", "high"]))
    labels = ["low", "high"] if target == "Multiclass" else []
    summary, log = await check(plan(address, targetType=target, classLabels=labels))
    assert summary.overall_status == "succeeded"
    assert outcomes(summary)[:3] == [
        "longRunningService succeeded: The replica answered and stayed up; it predicted the first 3 rows",
        "errorCheck succeeded: 10 rows predicted in 3 requests",
        "nullValueImputation succeeded: 10 rows predicted with each of 2 columns nulled, and all together",
    ]
    assert outcomes(summary)[3].startswith(
        "sideEffects succeeded: 10 rows are predicted alike at once, in batches, shuffled, each alone, "
        "and when asked again"
    )
    assert (summary.counts.rows, summary.counts.requests) == (10, 1 + 3 + 4 + 16)
    assert summary.duration_seconds >= 0.05
    assert log[:2] == [
        "test team/gate of model hello 1.0: 20 s, 10 rows",
        f"replica hello-0 is pod 0 at {address}",
    ]
    assert f"replica hello-0 ({address}): ready" in log
    assert "10 of 10 rows predicted" in log


async def test_labels_of_the_model_are_the_keys(start_model: StartModel) -> None:
    labels = {"POSITIVE_CLASS_LABEL": "ja", "NEGATIVE_CLASS_LABEL": "nein"}
    address = start_model("good_binary", URL_PREFIX=PREFIX, **labels)
    fields = {"targetType": "Binary", "positiveClassLabel": "ja", "negativeClassLabel": "nein"}
    summary, _ = await check(plan(address, **fields))
    assert summary.overall_status == "succeeded"


async def test_without_data_only_readiness_counts(start_model: StartModel) -> None:
    replicas = [start_model("good_regression", URL_PREFIX=PREFIX) for _ in range(2)]
    summary, _ = await check(plan(*replicas, configuration={"errorCheck": "skip"}), data=None)
    assert summary.overall_status == "succeeded"
    assert outcomes(summary) == [
        "longRunningService succeeded: All 2 replicas answered and stayed up; there was no data to send",
        "errorCheck skipped: Skipped as configured",
        "nullValueImputation skipped: Skipped: there is no data set to predict on",
        "sideEffects skipped: Skipped: there is no data set to predict on",
    ]
    assert summary.counts.requests == 0


async def test_error_check_without_data_fails_and_says_so(start_model: StartModel) -> None:
    summary, _ = await check(plan(start_model("good_regression", URL_PREFIX=PREFIX)), data=None)
    assert outcomes(summary)[1] == (
        "errorCheck failed: There is no data set; errorCheck needs one, or must be skipped"
    )


async def test_model_may_take_its_time_to_get_ready(start_model: StartModel) -> None:
    address = start_model("ready_after_a_while", URL_PREFIX=PREFIX)
    summary, log = await check(plan(address))
    assert summary.overall_status == "succeeded"
    assert f'replica hello-0 ({address}): answered HTTP 503 with "loading"' in log


async def test_first_refusal_is_no_verdict(start_model: StartModel) -> None:
    """Network rules for a new pod apply with a delay; until then it is as if nothing listened."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    running = asyncio.create_task(check(plan(f"127.0.0.1:{port}")))
    await asyncio.sleep(0.1)
    await asyncio.to_thread(start_model, "good_regression", URL_PREFIX=PREFIX, PORT=str(port))
    summary, log = await running
    assert f"replica hello-0 (127.0.0.1:{port}): connection refused" in log
    assert summary.overall_status == "succeeded"


@pytest.mark.parametrize(
    ("model", "last"),
    [
        ("never_ready", 'answered HTTP 503 with "loading"'),
        ("never_listens", "connection refused"),
        ("silent", "no answer within 0.3 s"),
    ],
)
async def test_replica_that_does_not_get_ready_is_named_at_the_deadline(
    model: str, last: str, start_model: StartModel
) -> None:
    good = start_model("good_regression", URL_PREFIX=PREFIX)
    bad = start_model(model, URL_PREFIX=PREFIX)
    summary = await check_late(plan(good, bad), replace(LIMITS, ask_timeout=0.3))
    assert summary.overall_status == "failed"
    first, *others = outcomes(summary)
    assert re.fullmatch(
        r"longRunningService failed: The time for the test \(20 s\) is over: "
        rf"not ready after 0\.\d s: {re.escape(f'replica hello-1 ({bad}): {last}')}",
        first,
    )
    assert others == [f"{name} aborted: Not run: longRunningService failed" for name in list(CheckName)[1:]]


async def test_service_that_leads_nowhere_is_named(start_model: StartModel) -> None:
    good = start_model("good_regression", URL_PREFIX=PREFIX)
    nowhere = start_model("never_listens")
    summary = await check_late(plan(good, service=nowhere))
    assert f" s: Service {nowhere}: connection refused" in outcomes(summary)[0]


async def test_ignored_url_prefix_is_told_before_the_deadline(start_model: StartModel) -> None:
    address = start_model("ignores_url_prefix", URL_PREFIX=PREFIX)
    summary, _ = await check(plan(address, timeoutSeconds=600))
    found = outcomes(summary)[0]
    assert found.startswith(
        f"longRunningService failed: Replica hello-0 ({address}): "
        'answered HTTP 404 with "no such page" for 0.'
    )
    assert found.endswith(f"; GET {PREFIX}/ must answer 200 when ready (is URL_PREFIX respected?)")
    assert summary.duration_seconds < 5


async def test_answer_that_is_not_http_is_no_readiness(start_model: StartModel) -> None:
    address = start_model("not_http", URL_PREFIX=PREFIX)
    summary = await check_late(plan(address))
    assert f"replica hello-0 ({address}): the answer is not HTTP: " in outcomes(summary)[0]


async def test_model_that_dies_after_getting_ready_is_caught(start_model: StartModel) -> None:
    address = start_model("ready_then_dies", URL_PREFIX=PREFIX)
    other = start_model("good_regression", URL_PREFIX=PREFIX)
    summary, _ = await check(plan(address, service=other), limits=replace(LIMITS, settle_seconds=10))
    assert re.fullmatch(
        rf"longRunningService failed: Replica hello-0 \({re.escape(address)}\) was ready, but \d\.\d s later: "
        r"(connection refused|the connection was dropped .*); the model must stay up",
        outcomes(summary)[0],
    )


async def test_one_broken_replica_of_three_is_found(start_model: StartModel) -> None:
    good = [start_model("good_regression", URL_PREFIX=PREFIX) for _ in range(2)]
    bad = start_model("raises", URL_PREFIX=PREFIX)
    summary, _ = await check(plan(good[0], bad, good[1]))
    assert outcomes(summary)[0].startswith(
        f"longRunningService failed: Replica hello-1 ({bad}) does not predict as the other replicas do: "
        'rows 0 to 2: answered HTTP 500 with "Traceback (most recent call last): ValueError:'
    )
    assert outcomes(summary)[1] == "errorCheck aborted: Not run: longRunningService failed"


async def test_one_replica_of_three_that_dies_on_data_is_found(start_model: StartModel) -> None:
    good = [start_model("good_regression", URL_PREFIX=PREFIX) for _ in range(2)]
    bad = start_model("dies_on_nth_request", URL_PREFIX=PREFIX, NTH="1")
    summary, _ = await check(plan(*good, bad))
    assert outcomes(summary)[0] == (
        f"longRunningService failed: Replica hello-2 ({bad}), sent the first 3 rows: "
        "the connection was dropped before the answer was complete; the model may have crashed or been killed"
    )


async def test_a_lost_connection_holds_the_verdict_back_a_moment(start_model: StartModel) -> None:
    """So that the kubelet has said what ended the model when the verdict is read."""
    patient = replace(LIMITS, aftermath_seconds=0.5)
    died = start_model("dies_on_nth_request", URL_PREFIX=PREFIX, NTH="1")
    summary, _ = await check(plan(died), limits=patient)
    assert outcomes(summary)[0].startswith("longRunningService failed")
    assert summary.duration_seconds >= 0.5

    wrong = start_model("nan", URL_PREFIX=PREFIX)
    summary, _ = await check(plan(wrong), limits=replace(patient, aftermath_seconds=10))
    assert outcomes(summary)[1].startswith("errorCheck failed")
    assert summary.duration_seconds < 10


async def test_a_connection_refused_before_the_model_was_ready_holds_nothing_back(
    start_model: StartModel,
) -> None:
    """Each model is refused at first; a check that fails later has lost no connection by that."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    patient = replace(LIMITS, aftermath_seconds=15)
    running = asyncio.create_task(check(plan(f"127.0.0.1:{port}"), limits=patient))
    await asyncio.sleep(0.1)
    await asyncio.to_thread(start_model, "nan", URL_PREFIX=PREFIX, PORT=str(port))
    summary, log = await running
    assert f"replica hello-0 (127.0.0.1:{port}): connection refused" in log
    assert outcomes(summary)[1].startswith("errorCheck failed: Row ")
    assert summary.duration_seconds < 15


async def test_one_replica_that_hangs_on_data_is_named(start_model: StartModel) -> None:
    good = start_model("good_regression", URL_PREFIX=PREFIX)
    bad = start_model("slow", URL_PREFIX=PREFIX)
    summary = await check_late(plan(good, bad))
    assert re.fullmatch(
        r"longRunningService failed: The time for the test \(20 s\) is over: "
        rf"no answer to the first 3 rows for 0\.\d s from replica hello-1 \({re.escape(bad)}\)",
        outcomes(summary)[0],
    )


@pytest.mark.parametrize(
    ("model", "target", "message"),
    [
        (
            "nan",
            "Regression",
            "Row 3: prediction is NaN; every prediction must be a finite number (rows count from 0)",
        ),
        (
            "infinity",
            "Regression",
            "Row 0: prediction is Infinity; every prediction must be a finite number "
            "(rows count from 0; 3 more of these 4 rows are wrong)",
        ),
        (
            "strings",
            "Regression",
            'Row 0: prediction is the text "1.5"; every prediction must be a finite number '
            "(rows count from 0; 3 more of these 4 rows are wrong)",
        ),
        (
            "short_answer",
            "Regression",
            "Rows 0 to 3: 3 predictions for 4 rows; exactly one prediction a row is needed",
        ),
        (
            "wrong_labels",
            "Binary",
            'Row 0: its keys are "good", "bad"; a prediction must have exactly the keys "1" and "0" '
            "(rows count from 0; 3 more of these 4 rows are wrong)",
        ),
        (
            "wrong_sum",
            "Binary",
            "Row 0: probabilities sum to 1.2; they must sum to 1 (within 0.000001) "
            "(rows count from 0; 3 more of these 4 rows are wrong)",
        ),
        (
            "malformed",
            "Regression",
            "Rows 0 to 3: the answer is not JSON (line 1, column 22: Expecting value): "
            '"{\\"predictions\\": [1.0,"',
        ),
        ("redirects", "Regression", "Rows 0 to 3: answered HTTP 307 with an empty body"),
        (
            "huge",
            "Regression",
            "Rows 0 to 3: the answer is too long: reading stopped after 1048576 bytes",
        ),
        (
            "compressed",
            "Regression",
            "Rows 0 to 3: the answer is compressed ('gzip'), which was not asked for",
        ),
        (
            "dies_on_nth_request",
            "Regression",
            "Rows 4 to 7: the connection was dropped before the answer was complete; "
            "the model may have crashed or been killed",
        ),
    ],
)
async def test_wrong_predictions_fail_the_error_check(
    model: str, target: str, message: str, start_model: StartModel
) -> None:
    summary, _ = await check(plan(start_model(model, URL_PREFIX=PREFIX), targetType=target))
    assert summary.overall_status == "failed"
    assert summary.checks[CheckName.LONG_RUNNING_SERVICE].status == "succeeded"
    _, found, *others = outcomes(summary)
    assert found == f"errorCheck failed: {message}"
    why = "Not run: errorCheck failed, and without good predictions there is nothing to compare"
    assert others == [f"nullValueImputation aborted: {why}", f"sideEffects aborted: {why}"]


async def test_error_of_the_model_is_quoted_in_short(start_model: StartModel) -> None:
    summary, _ = await check(plan(start_model("raises", URL_PREFIX=PREFIX)))
    message = summary.checks[CheckName.ERROR_CHECK].message
    assert message.startswith(
        'Rows 0 to 3: answered HTTP 500 with "Traceback (most recent call last): ValueError'
    )
    assert len(message) < 300
    assert outcomes(summary)[0].endswith(
        "it answered when sent data, though not rightly, which errorCheck judges"
    )


async def test_wrong_row_of_a_later_batch_has_its_own_number(start_model: StartModel) -> None:
    address = start_model("good_regression", URL_PREFIX=PREFIX)
    data = DataSet({"a": [*[1] * 9, 10**400]})
    summary, _ = await check(plan(address), data)
    assert outcomes(summary)[1].startswith("errorCheck failed: Rows 8 to 9: the connection was dropped")
    assert summary.counts.rows == 8


async def test_answer_cut_off_is_a_dropped_connection(start_model: StartModel) -> None:
    summary, _ = await check(plan(start_model("cut_off", URL_PREFIX=PREFIX)))
    assert "the connection was dropped before the answer was complete" in outcomes(summary)[0]


async def test_slow_prediction_ends_at_the_deadline(start_model: StartModel) -> None:
    summary = await check_late(plan(start_model("slow", URL_PREFIX=PREFIX, FAST_ROWS="3")))
    assert summary.checks[CheckName.LONG_RUNNING_SERVICE].status == "succeeded"
    assert re.fullmatch(
        r"errorCheck failed: The time for the test \(20 s\) is over: "
        r"no answer to the prediction of rows 0 to 3 for 0\.\d s",
        outcomes(summary)[1],
    )


async def test_skipped_error_check_forgives_wrong_predictions(start_model: StartModel) -> None:
    """The checks after it say that there is nothing to go by, and only warn unless they were made to fail."""
    address = start_model("infinity", URL_PREFIX=PREFIX)
    summary, _ = await check(plan(address, configuration={"errorCheck": "skip"}))
    assert summary.overall_status == "warning"
    assert [found.partition(":")[0] for found in outcomes(summary)] == [
        "longRunningService succeeded",
        "errorCheck skipped",
        "nullValueImputation warning",
        "sideEffects warning",
    ]
    assert "Rows fail even with nothing nulled: row 0: prediction is Infinity" in outcomes(summary)[2]
    assert "There is nothing to compare with: row 0: prediction is Infinity" in outcomes(summary)[3]


@pytest.mark.parametrize(
    ("severity", "word", "overall"),
    [("skip", "skipped", "succeeded"), ("warn", "warning", "warning"), ("fail", "failed", "failed")],
)
async def test_severity_decides_what_a_failure_is_called(
    severity: str, word: str, overall: str, start_model: StartModel
) -> None:
    address = start_model("counter_state", URL_PREFIX=PREFIX)
    summary, _ = await check(plan(address, configuration={"sideEffects": severity}))
    assert summary.checks[CheckName.SIDE_EFFECTS].status == word
    assert summary.overall_status == overall


async def test_failed_null_check_leaves_the_last_check_to_run(start_model: StartModel) -> None:
    address = start_model("raises_on_all_null", URL_PREFIX=PREFIX)
    summary, _ = await check(plan(address, configuration={"nullValueImputation": "fail"}))
    assert [outcome.status for outcome in summary.checks.values()] == [
        "succeeded",
        "succeeded",
        "failed",
        "succeeded",
    ]
    assert summary.overall_status == "failed"


async def test_model_known_by_one_address_is_asked_once(start_model: StartModel) -> None:
    """As from a command line, which knows no replicas, and may know the address by a name."""
    address = start_model("good_regression", URL_PREFIX=PREFIX).replace("127.0.0.1", "localhost")
    one = CheckPlan.model_validate({**plan(address).model_dump(), "replicas": ()})
    summary, log = await check(one)
    assert outcomes(summary)[0] == (
        "longRunningService succeeded: The model answered and stayed up; it predicted the first 3 rows"
    )
    assert f"model {address}: ready" in log
    assert summary.counts.requests == 1 + 3 + 4 + 16


async def test_each_outcome_is_told_when_its_check_ends(start_model: StartModel) -> None:
    told: list[tuple[CheckName, CheckOutcome]] = []
    one = plan(start_model("good_regression", URL_PREFIX=PREFIX))
    run = Run(one, DATA, LIMITS, lambda _line: None, Progress(), lambda *ended: told.append(ended))
    summary = await run_checks(run)
    assert told == list(summary.checks.items())


async def test_summary_of_a_whole_run_fits_the_termination_message(start_model: StartModel) -> None:
    address = start_model("raises", URL_PREFIX=PREFIX)
    summary, _ = await check(plan(address))
    assert json.loads(summary.to_termination())["checks"]["errorCheck"]["status"] == "failed"
