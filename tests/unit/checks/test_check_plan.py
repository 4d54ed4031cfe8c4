from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from modelyard.api.check_plan import (
    MAX_COUNT,
    ON_DATA,
    CheckConfiguration,
    CheckCounts,
    CheckName,
    CheckOutcome,
    CheckPlan,
    CheckStatus,
    CheckSummary,
    ReportDigest,
    parse_summary,
)
from modelyard.api.custom_model import DATASET_RULES, TestConfiguration

WIRE: dict[str, Any] = {
    "test": "team/hello-gate",
    "model": "hello",
    "version": "1.0",
    "urlPrefix": "/models/team/hello",
    "service": "10.96.3.4:80",
    "replicas": [{"name": "hello-0", "uid": "u", "address": "10.244.1.5:8080"}],
    "targetType": "Regression",
    "targetName": "y",
    "positiveClassLabel": None,
    "negativeClassLabel": None,
    "classLabels": [],
    "configuration": {
        "longRunningService": "fail",
        "errorCheck": "skip",
        "nullValueImputation": "fail",
        "sideEffects": "warn",
        "tolerance": {"absolute": 1e-9, "relative": 0.0},
        "sampleRows": 7,
    },
    "dataset": None,
    "datasetFormat": "csv",
    "dataCanChange": False,
    "timeoutSeconds": 600,
}


def summary(**messages: str) -> CheckSummary:
    return CheckSummary(
        overall_status=CheckStatus.FAILED,
        checks={
            CheckName(name): CheckOutcome(status=CheckStatus.FAILED, message=message)
            for name, message in messages.items()
        },
        counts=CheckCounts(rows=3, requests=2),
        duration_seconds=1.5,
    )


def test_plan_survives_the_way_into_the_job() -> None:
    plan = CheckPlan.model_validate(WIRE)
    assert json.loads(plan.to_json()) == WIRE, "WIRE spells out every field of a plan"
    assert CheckPlan.model_validate_json(plan.to_json()) == plan


def test_labels_default_to_1_and_0() -> None:
    plan = CheckPlan.model_validate(WIRE)
    assert plan.labels() == ("1", "0")
    named = {"positiveClassLabel": "yes", "negativeClassLabel": ""}
    assert CheckPlan.model_validate({**WIRE, **named}).labels() == ("yes", "")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("service", "10.0.0.1"),
        ("service", "10.0.0.256:80"),
        ("service", "models.example.com"),
        ("service", "models.example.com:http"),
        ("service", "models.example.com:8_0"),
        ("service", "models.example.com/hello:80"),
        ("service", "user@models.example.com:80"),
        ("service", "http://models.example.com:80"),
        ("service", "-models:80"),
        ("service", "10.0.0.1:0"),
        ("service", "10.0.0.1:65536"),
        ("service", "fd00::1:80"),
        ("replicas", [{"name": "", "uid": "u", "address": "10.244.1.5:8080"}]),
        ("urlPrefix", "models/hello"),
        ("urlPrefix", "/models?x"),
        ("dataset", "../rows.json"),
        ("targetType", "Multiclass"),
        ("targetType", "TextGeneration"),
        ("datasetFormat", "parquet"),
        ("configuration", {"sampleRows": 0}),
        ("configuration", {"tolerance": {"absolute": -1}}),
        ("configuration", {"sideEffects": "ignore"}),
        ("timeoutSeconds", 0),
        ("configuration", {"longRunningService": "skip"}),
    ],
)
def test_plan_refuses(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        CheckPlan.model_validate({**WIRE, field: value})


@pytest.mark.parametrize(
    "address", ["[fd00::1]:80", "hello.team.svc:80", "localhost:8080", "my_host:1", "https://a.example:443"]
)
def test_plan_takes_any_host_with_a_port(address: str) -> None:
    assert CheckPlan.model_validate({**WIRE, "service": address}).service == address


def test_plan_may_know_the_service_alone() -> None:
    assert CheckPlan.model_validate({**WIRE, "replicas": []}).replicas == ()


def test_multiclass_plan_needs_its_labels() -> None:
    plan = CheckPlan.model_validate({**WIRE, "targetType": "Multiclass", "classLabels": ["a", "b", "c"]})
    assert plan.class_labels == ("a", "b", "c")
    with pytest.raises(ValidationError, match="classLabels must be given for the target type Multiclass"):
        CheckPlan.model_validate({**WIRE, "targetType": "Multiclass"})


def test_short_summary_is_written_whole() -> None:
    wire = json.loads(summary(longRunningService="refused", errorCheck="not run").to_termination())
    assert wire == {
        "v": 1,
        "overallStatus": "failed",
        "checks": {
            "longRunningService": {"status": "failed", "message": "refused"},
            "errorCheck": {"status": "failed", "message": "not run"},
        },
        "counts": {"rows": 3, "requests": 2},
        "durationSeconds": 1.5,
    }


@pytest.mark.parametrize("letter", ["x", "é", "😀", '"', "\x00", "\n", "\ud800"])
@pytest.mark.parametrize("limit", [1024, 4096])
def test_summary_always_fits_and_is_read_back(letter: str, limit: int) -> None:
    long = letter * 20_000
    whole = summary(longRunningService=long, errorCheck=long).model_copy(
        update={"error": long, "counts": CheckCounts(rows=MAX_COUNT, requests=MAX_COUNT)}
    )
    written = whole.to_termination(limit)
    assert len(written) <= limit
    read = parse_summary(written.decode("utf-8"))
    assert (read.overall_status, read.counts) == (whole.overall_status, whole.counts)
    assert read.checks[CheckName.ERROR_CHECK].message.endswith("…")


@pytest.mark.parametrize("limit", [1024, 4096])
def test_summary_of_all_four_checks_with_its_report_fits(limit: int) -> None:
    digest = ReportDigest(length=MAX_COUNT, sha256="f" * 64)
    whole = summary(**dict.fromkeys(CheckName, "x" * 5000)).model_copy(
        update={"report": digest, "error": "y" * 5000}
    )
    written = whole.to_termination(limit)
    assert len(written) <= limit
    assert parse_summary(written.decode()).report == digest


def test_long_message_does_not_cost_the_short_one() -> None:
    written = summary(longRunningService="x" * 20_000, errorCheck="row 3: NaN").to_termination()
    assert len(written) > 2048
    assert parse_summary(written.decode()).checks[CheckName.ERROR_CHECK].message == "row 3: NaN"


COLUMNS = {f"column_{number}": "INT64" for number in range(100)}


def test_columns_stand_whole_beside_messages_that_are_cut() -> None:
    long = summary(longRunningService="x" * 20_000, errorCheck="y" * 20_000)
    written = long.model_copy(update={"columns": COLUMNS}).to_termination()
    assert len(written) <= 4096
    read = parse_summary(written.decode())
    assert read.columns == COLUMNS
    assert all(len(outcome.message) > 500 for outcome in read.checks.values())


@pytest.mark.parametrize("message", ["", "x" * 20_000])
@pytest.mark.parametrize(("limit", "told"), [(1024, False), (2048, False), (3200, True), (4096, True)])
def test_whether_columns_are_told_is_a_matter_of_the_columns_alone(
    limit: int, told: bool, message: str
) -> None:
    """Or the same data would be told of after one run, and not after the next, which had more to say."""
    whole = summary(**dict.fromkeys(CheckName, message)).model_copy(
        update={
            "columns": COLUMNS,
            "report": ReportDigest(length=MAX_COUNT, sha256="f" * 64),
            "error": message,
            "counts": CheckCounts(rows=MAX_COUNT, requests=MAX_COUNT),
        }
    )
    written = whole.to_termination(limit)
    assert len(written) <= limit
    assert (parse_summary(written.decode()).columns == COLUMNS) == told


def test_limit_too_small_for_any_summary_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1024 bytes"):
        summary(errorCheck="").to_termination(1000)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the termination message is empty: the check ended without a summary"),
        (" \n", "the termination message is empty: the check ended without a summary"),
        ("OOM", 'the termination message is not a check summary: "OOM"'),
        ("[1]", 'the termination message is not a check summary: "[1]"'),
        ('{"a": 1}', 'the termination message is not a check summary: "{\\"a\\": 1}"'),
        ('{"v":1,"overallStatus":"fai', "the check summary is cut off or damaged at character 23 of 27"),
        ('{"v":2,"overallStatus":"failed"}', 'the check summary has version "2", only 1 is known'),
        ('{"v":1,"overallStatus":"failed"}', "the check summary is malformed: checks: Field required"),
    ],
)
def test_foreign_text_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_summary(text)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 5_000, "x" * 100_000])
def test_hostile_text_is_refused_with_a_short_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is not a check summary") as caught:
        parse_summary(text)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("name", CheckName)
def test_every_check_has_a_severity_of_its_own_name_for_users_and_for_the_runner(name: CheckName) -> None:
    for configuration in (CheckConfiguration, TestConfiguration):
        assert name in {field.alias for field in configuration.model_fields.values()}
    assert CheckConfiguration.model_validate({name: "fail"}).severity(name) == "fail"


@pytest.mark.parametrize("name", ON_DATA)
def test_a_check_that_needs_data_is_brought_it_if_it_alone_is_asked_for(name: CheckName) -> None:
    skipped = dict.fromkeys(ON_DATA, "skip")
    assert not CheckConfiguration.model_validate(skipped).needs_data
    assert CheckConfiguration.model_validate({**skipped, name: "fail"}).needs_data


@pytest.mark.parametrize("name", ON_DATA)
def test_a_check_that_may_fail_the_test_needs_a_data_set(name: CheckName) -> None:
    """Each is named by one of the rules that the API server enforces."""
    assert any(f"self.configuration.{name} " in rule.rule for rule in DATASET_RULES)
