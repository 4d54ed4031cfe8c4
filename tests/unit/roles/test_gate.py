"""The gate: which tests there are, what makes one of them another, and what their results amount to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modelyard.api.custom_model import CustomModel, GateTest
from modelyard.api.digests import without_contents
from modelyard.api.model_ledger import TestFact
from modelyard.api.model_test import ModelTestStatus
from modelyard.roles import gate as gates
from tests.support.objects import make_dataset, make_gate, make_model

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
TESTED = gates.Tested(image="image", code_digest="sha256:c", template_hash="t")


def _hash(test: GateTest, key: str = "k", template: str = "t") -> str:
    return gates.test_hash(test, key=key, template_hash=template)


def _gate(**model: Any) -> tuple[GateTest, ...]:
    return gates.tests_of(CustomModel.model_validate(make_model(**model)).spec)


def _status(word: str, message: str = "") -> ModelTestStatus:
    """A test's own status, with what it says as its verdict."""
    at = "2026-01-01T12:00:00Z"
    said = {"type": "Succeeded", "status": "Unknown", "reason": "x", "message": message}
    conditions = [{**said, "lastTransitionTime": at}] if message else []
    return ModelTestStatus.model_validate({"overallStatus": word, "conditions": conditions})


def _results(**words: str) -> dict[str, tuple[str, ModelTestStatus]]:
    return {name: (f"hello-1-{name}", _status(word, f"{name} {word}")) for name, word in words.items()}


# --- the tests of a gate ---------------------------------------------------------------------------------------


def test_without_a_gate_there_is_one_test_that_the_model_starts() -> None:
    assert _gate() == (gates.IMPLICIT,)
    assert (gates.IMPLICIT.required, gates.IMPLICIT.dataset) == (True, None)
    asked = gates.IMPLICIT.configuration
    assert (asked.long_running_service, asked.error_check) == ("fail", "skip")
    assert (asked.null_value_imputation, asked.side_effects) == ("skip", "skip")


def test_the_implicit_gate_is_the_same_in_every_release() -> None:
    """Or after an upgrade every model without a gate would have its refused versions tested again. A check that is
    added is not named in it: it is skipped where there is no data.
    """
    assert gates.gate_hash((gates.IMPLICIT,)) == "7d7bc3a9"


def test_a_gate_that_is_given_replaces_the_implicit_test() -> None:
    assert [test.name for test in _gate(gate=make_gate("a", "b"))] == ["a", "b"]


def test_the_hash_is_the_same_for_contents_and_for_their_digests() -> None:
    full = make_model(gate=make_gate("a", "b"))
    cached = without_contents(full)
    assert cached != full
    parsed = [
        CustomModel.model_validate(manifest).spec for manifest in (full, cached, without_contents(cached))
    ]
    assert len({gates.gate_hash(gates.tests_of(spec)) for spec in parsed}) == 1
    assert len({_hash(gates.tests_of(spec)[0]) for spec in parsed}) == 1


def test_a_default_that_is_written_out_changes_no_hash() -> None:
    bare = {"tests": [{"name": "a", "dataset": {"inline": [{"path": "rows.json", "content": "{}"}]}}]}
    full = make_gate("a", dataset=make_dataset("{}"))
    assert gates.gate_hash(_gate(gate=bare)) == gates.gate_hash(_gate(gate=full))


CHANGES: list[dict[str, Any]] = [
    {"dataset": make_dataset('{"x": [3]}')},
    {"dataset": make_dataset(path="other.json")},
    {"dataset": {"configMap": {"name": "rows"}, "format": "json"}},
    {"configuration": {"errorCheck": "skip"}},
    {"timeoutSeconds": 601},
    {"required": False},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_whatever_a_test_asks_is_in_its_hash(change: dict[str, Any]) -> None:
    before, after = _gate(gate=make_gate("a")), _gate(gate=make_gate("a", **change))
    assert gates.gate_hash(before) != gates.gate_hash(after)
    assert _hash(before[0]) != _hash(after[0])


def test_a_test_is_another_for_another_version_template_or_name() -> None:
    (test,) = _gate(gate=make_gate("a"))
    (named,) = _gate(gate=make_gate("b"))
    hashes = {_hash(test), _hash(test, key="l"), _hash(test, template="u"), _hash(named)}
    assert len(hashes) == 4


def test_the_other_tests_of_a_gate_do_not_make_a_test_another() -> None:
    alone, together = _gate(gate=make_gate("a")), _gate(gate=make_gate("a", "b"))
    assert gates.gate_hash(alone) != gates.gate_hash(together)
    assert _hash(alone[0]) == _hash(together[0])


# --- verdicts --------------------------------------------------------------------------------------------------

AB = _gate(gate=make_gate("a", "b"))


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"a": "succeeded"},
        {"b": "failed"},
        {"a": "succeeded", "b": "in_progress"},
        {"a": "failed", "b": "queued"},
        {"a": "not_tested", "b": "succeeded"},
        {"a": "failed", "c": "failed"},
    ],
    ids=str,
)
def test_a_verdict_waits_for_every_test(words: dict[str, str]) -> None:
    assert gates.verdict(AB, _results(**words), TESTED, now=NOW) is None


@pytest.mark.parametrize(
    ("a", "b", "result"),
    [
        ("succeeded", "succeeded", "Passed"),
        ("succeeded", "warning", "Passed"),
        ("warning", "warning", "Passed"),
        ("failed", "succeeded", "Failed"),
        ("succeeded", "failed", "Failed"),
        ("succeeded", "canceled", "Failed"),
        ("failed", "failed", "Failed"),
    ],
)
def test_one_that_failed_is_enough(a: str, b: str, result: str) -> None:
    spoken = gates.verdict(AB, _results(a=a, b=b), TESTED, now=NOW)
    assert spoken is not None
    assert spoken.result == result


def _knowing(**columns: str) -> ModelTestStatus:
    """A test that went well, and knows of the columns x."""
    told = [{"name": name, "datatype": datatype} for name, datatype in columns.items()]
    return ModelTestStatus.model_validate({"overallStatus": "succeeded", "columns": told or None})


def test_a_verdict_keeps_the_columns_of_the_first_test_that_knows_some() -> None:
    results = {"a": ("hello-1-a", _knowing(x="FP64")), "b": ("hello-1-b", _knowing(y="BYTES"))}
    spoken = gates.verdict(AB, results, TESTED, now=NOW)
    assert spoken is not None
    assert spoken.columns == results["a"][1].columns
    spoken = gates.verdict(AB, {**results, "a": ("hello-1-a", _knowing())}, TESTED, now=NOW)
    assert spoken is not None
    assert spoken.columns == results["b"][1].columns


def test_a_refusal_keeps_no_columns() -> None:
    results = {"a": ("hello-1-a", _knowing(x="FP64")), **_results(b="failed")}
    spoken = gates.verdict(AB, results, TESTED, now=NOW)
    assert spoken is not None
    assert "columns" not in spoken.to_json()


def test_a_verdict_binds_to_bytes_a_template_and_a_gate() -> None:
    spoken = gates.verdict(AB, _results(a="succeeded", b="failed"), TESTED, now=NOW)
    assert spoken is not None
    assert spoken.to_json() == {
        "result": "Failed",
        "at": "2026-01-01T12:00:00Z",
        "gate": gates.gate_hash(AB),
        "image": "image",
        "codeDigest": "sha256:c",
        "templateHash": "t",
        "tests": [
            {
                "test": "a",
                "name": "hello-1-a",
                "result": "Passed",
                "message": "a succeeded",
                "required": True,
                "warned": False,
            },
            {
                "test": "b",
                "name": "hello-1-b",
                "result": "Failed",
                "message": "b failed",
                "required": True,
                "warned": False,
            },
        ],
    }


@pytest.mark.parametrize(("word", "result"), [("succeeded", "Passed"), ("failed", "Failed")])
def test_a_test_that_is_not_required_only_notes_its_result(word: str, result: str) -> None:
    gate = (*_gate(gate=make_gate("a")), *_gate(gate=make_gate("b", required=False)))
    spoken = gates.verdict(gate, _results(a="succeeded", b=word), TESTED, now=NOW)
    assert spoken is not None
    assert spoken.result == "Passed"
    assert [(fact.test, fact.result, fact.required) for fact in spoken.tests] == [
        ("a", "Passed", True),
        ("b", result, False),
    ]
    assert gates.failures(spoken) == []


def test_a_test_that_is_not_required_is_waited_for_all_the_same() -> None:
    gate = _gate(gate=make_gate("a", required=False))
    assert gates.verdict(gate, _results(a="in_progress"), TESTED, now=NOW) is None


GATE_WITH_OPTIONAL = (*_gate(gate=make_gate("a")), *_gate(gate=make_gate("b", required=False)))


def _told(word: str, reason: str, seconds_ago: float = 0) -> ModelTestStatus:
    """A test without a result, and why it has none."""
    at = (NOW - timedelta(seconds=seconds_ago)).isoformat()
    said = {
        "type": "Succeeded",
        "status": "Unknown",
        "reason": reason,
        "message": "no rows. Next: bring some",
    }
    return ModelTestStatus.model_validate(
        {"overallStatus": word, "conditions": [{**said, "lastTransitionTime": at}]}
    )


@pytest.mark.parametrize(
    ("word", "reason", "seconds_ago"),
    [
        ("queued", "ConfigMapNotFound", 30),
        ("queued", "InvalidDataset", 30),
        ("aborted", "InvalidDataset", 0),
        ("aborted", "Aborted", 0),
    ],
)
def test_a_test_that_is_not_required_and_came_to_no_result_is_noted_as_not_run(
    word: str, reason: str, seconds_ago: float
) -> None:
    results = {**_results(a="succeeded"), "b": ("hello-1-b", _told(word, reason, seconds_ago))}
    spoken = gates.verdict(GATE_WITH_OPTIONAL, results, TESTED, now=NOW)
    assert spoken is not None
    assert spoken.result == "Passed"
    assert spoken.tests[1] == TestFact(
        test="b", name="hello-1-b", result="Failed", message="not run: no rows", required=False
    )
    assert gates.remarks(spoken) == ['test "b", which is not required, was not run: no rows']


@pytest.mark.parametrize(
    ("word", "reason", "seconds_ago"),
    [
        ("queued", "ConfigMapNotFound", 29),
        ("queued", "Queued", 1000),
        ("queued", "WaitingForVersion", 1000),
        ("in_progress", "InvalidDataset", 1000),
    ],
)
def test_a_test_that_is_not_required_is_given_up_for_its_data_alone_and_not_at_once(
    word: str, reason: str, seconds_ago: float
) -> None:
    results = {**_results(a="succeeded"), "b": ("hello-1-b", _told(word, reason, seconds_ago))}
    assert gates.verdict(GATE_WITH_OPTIONAL, results, TESTED, now=NOW) is None


@pytest.mark.parametrize("word", ["queued", "aborted"])
def test_a_required_test_that_came_to_no_result_is_waited_for(word: str) -> None:
    results = {"a": ("hello-1-a", _told(word, "InvalidDataset", 1000)), **_results(b="succeeded")}
    assert gates.verdict(GATE_WITH_OPTIONAL, results, TESTED, now=NOW) is None


def test_a_required_test_that_failed_refuses_beside_one_that_was_not_run() -> None:
    results = {**_results(a="failed"), "b": ("hello-1-b", _told("aborted", "InvalidDataset"))}
    spoken = gates.verdict(GATE_WITH_OPTIONAL, results, TESTED, now=NOW)
    assert spoken is not None
    assert (spoken.result, [fact.test for fact in gates.failures(spoken)]) == ("Failed", ["a"])


def test_a_test_that_waits_says_nothing_before_its_first_status() -> None:
    results = {**_results(a="succeeded"), "b": ("hello-1-b", _status("queued"))}
    assert gates.verdict(GATE_WITH_OPTIONAL, results, TESTED, now=NOW) is None


def test_long_messages_are_cut_for_the_ledger() -> None:
    (test,) = _gate(gate=make_gate("a"))
    spoken = gates.verdict((test,), {"a": ("n", _status("failed", "x" * 5000))}, TESTED, now=NOW)
    assert spoken is not None
    assert len(spoken.tests[0].message) == gates.MESSAGE_KEPT
    assert len(gates.refusal((test,), TESTED, "x" * 5000, now=NOW).tests[0].message) == gates.MESSAGE_KEPT


def test_a_version_that_never_came_up_failed_its_startup() -> None:
    spoken = gates.refusal(AB, TESTED, "it crashed", now=NOW)
    assert (spoken.result, spoken.gate, spoken.template_hash) == ("Failed", gates.gate_hash(AB), "t")
    assert spoken.tests == [TestFact(test="startup", result="Failed", message="it crashed")]
    assert gates.failures(spoken) == spoken.tests


def test_without_a_verdict_nothing_failed() -> None:
    assert gates.failures(None) == []


def test_what_a_test_says_of_its_end() -> None:
    assert gates.why(_status("failed", "errorCheck: row 2")) == "errorCheck: row 2"
    assert gates.why(_status("failed")) == ""


def _fact(test: str, result: str, message: str = "", **more: Any) -> TestFact:
    return TestFact.model_validate({"test": test, "result": result, "message": message, **more})


def test_what_warned_and_what_failed_without_harm_is_remarked() -> None:
    ended = gates.verdict(_gate(gate=make_gate("a")), _results(a="succeeded"), TESTED, now=NOW)
    assert ended is not None
    tests = [
        _fact("a", "Passed", "fine"),
        _fact("b", "Passed", "a row differs", warned=True),
        _fact("c", "Failed", "too slow", required=False),
        _fact("d", "Failed", required=False),
    ]

    assert gates.remarks(ended.model_copy(update={"tests": tests})) == [
        'test "b" warned: a row differs',
        'test "c", which is not required, failed: too slow',
        'test "d", which is not required, failed',
    ]


def test_a_test_that_warned_is_noted_as_such() -> None:
    ended = gates.verdict(_gate(gate=make_gate("a")), _results(a="warning"), TESTED, now=NOW)

    assert ended is not None
    assert [(fact.result, fact.warned) for fact in ended.tests] == [("Passed", True)]


@pytest.mark.parametrize(
    ("word", "type", "reason", "awaits"),
    [
        ("aborted", "Succeeded", "InvalidDataset", True),
        ("aborted", "Succeeded", "Aborted", False),
        ("aborted", "Ready", "InvalidDataset", False),
        ("failed", "Succeeded", "InvalidDataset", False),
        ("succeeded", "Succeeded", "Succeeded", False),
    ],
)
def test_a_test_that_said_nothing_for_want_of_good_data_waits_for_them(
    word: str, type: str, reason: str, awaits: bool
) -> None:
    at = "2026-01-01T12:00:00Z"
    said = {"type": type, "status": "Unknown", "reason": reason, "message": "", "lastTransitionTime": at}
    status = ModelTestStatus.model_validate({"overallStatus": word, "conditions": [said]})

    assert gates.awaits_data(status) is awaits
