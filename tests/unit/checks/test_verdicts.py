from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from modelyard.api.check_plan import CheckStatus
from modelyard.checks.answers import Answer, Reply, Trouble
from modelyard.checks.predictions import Predictions, Target, judged, predictions_problem
from modelyard.checks.verdicts import is_strange, readiness_problem, roll_up

REGRESSION = Target("Regression")
BINARY = Target("Binary", ("yes", "no"))


def answer(body: str | bytes, status: int = 200) -> Answer:
    return Answer(status, body if isinstance(body, bytes) else body.encode())


def predicted(*entries: str) -> Answer:
    """An answer with these predictions, each given as JSON text."""
    return answer(f'{{"predictions": [{", ".join(entries)}]}}')


@pytest.mark.parametrize("number", ["0", "-3", "1.5", "1e300", "123456789012345678901234567890"])
def test_regression_takes_any_finite_number(number: str) -> None:
    assert predictions_problem(predicted(number, "1"), range(2), REGRESSION) is None


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("-Infinity", "-Infinity"),
        ("1e999", "Infinity"),
        ("1" + "0" * 400, "1" + "0" * 78 + "…"),
        ("true", "true"),
        ("null", "null"),
        ('"0.5"', 'the text "0.5"'),
        ('"a\\u001b[31m\\nb"', 'the text "a\\u001b[31m\\nb"'),
        ('"\\ud800"', 'the text "?"'),
        ("[0.5]", "the list [0.5]"),
        ('{"yes": 1}', 'the object {"yes": 1}'),
    ],
)
def test_regression_takes_nothing_else(entry: str, shown: str) -> None:
    problem = predictions_problem(predicted("1", entry, "2"), range(16, 19), REGRESSION)
    assert problem == (
        f"row 17: prediction is {shown}; every prediction must be a finite number (rows count from 0)"
    )


def test_first_bad_row_is_named_and_the_others_are_counted() -> None:
    problem = predictions_problem(predicted("1", "NaN", "2", "null", "true"), range(5), REGRESSION)
    assert problem == (
        "row 1: prediction is NaN; every prediction must be a finite number "
        "(rows count from 0; 2 more of these 5 rows are wrong)"
    )


@pytest.mark.parametrize(
    "entry",
    ['{"yes": 1, "no": 0}', '{"no": 0.25, "yes": 0.75}', '{"yes": 0.3, "no": 0.7000009}'],
)
def test_binary_takes_two_probabilities(entry: str) -> None:
    assert predictions_problem(predicted(entry), range(1), BINARY) is None


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("0.7", 'prediction is 0.7; it must be an object with the keys "yes" and "no"'),
        (
            '{"1": 0.5, "0": 0.5}',
            'its keys are "1", "0"; a prediction must have exactly the keys "yes" and "no"',
        ),
        ('{"yes": 1}', 'its keys are "yes"; a prediction must have exactly the keys "yes" and "no"'),
        ("{}", 'it has no keys; a prediction must have exactly the keys "yes" and "no"'),
        (
            '{"yes": 1, "no": 0, "maybe": 0}',
            'its keys are "yes", "no", "maybe"; a prediction must have exactly the keys "yes" and "no"',
        ),
        (
            '{"yes": NaN, "no": 0.5}',
            'probability of "yes" is NaN; every probability must be a number from 0 to 1',
        ),
        (
            '{"yes": 0.5, "no": "0.5"}',
            'probability of "no" is the text "0.5"; every probability must be a number from 0 to 1',
        ),
        (
            '{"yes": true, "no": false}',
            'probability of "yes" is true; every probability must be a number from 0 to 1',
        ),
        (
            '{"yes": 1.2, "no": -0.2}',
            'probability of "yes" is 1.2; every probability must be a number from 0 to 1',
        ),
        (
            '{"yes": 0.6, "no": 0.6}',
            "probabilities sum to 1.2; they must sum to 1 (within 0.000001)",
        ),
        (
            '{"yes": 0.3, "no": 0.7000011}',
            "probabilities sum to 1.0000011; they must sum to 1 (within 0.000001)",
        ),
    ],
)
def test_binary_takes_nothing_else(entry: str, problem: str) -> None:
    found = predictions_problem(predicted(entry), range(3, 4), BINARY)
    assert found == f"row 3: {problem} (rows count from 0)"


MULTICLASS = Target("Multiclass", ("red", "green", "blue"))
MANY = Target("Multiclass", tuple(f"class {number}" for number in range(100)))


@pytest.mark.parametrize(
    "entry",
    [
        '{"red": 1, "green": 0, "blue": 0}',
        '{"blue": 0.25, "red": 0.25, "green": 0.5}',
        '{"red": 0.3, "green": 0.3, "blue": 0.4000009}',
    ],
)
def test_multiclass_takes_a_probability_a_class(entry: str) -> None:
    assert predictions_problem(predicted(entry, entry), range(2), MULTICLASS) is None


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (
            "[0.2, 0.3, 0.5]",
            'prediction is the list [0.2, 0.3, 0.5]; it must be an object with the keys "red", "green" and "blue"',
        ),
        (
            '"red"',
            'prediction is the text "red"; it must be an object with the keys "red", "green" and "blue"',
        ),
        (
            '{"red": 0.5, "green": 0.5}',
            'its keys are "red", "green"; a prediction must have exactly the keys "red", "green" and "blue"',
        ),
        (
            '{"red": 0.5, "green": 0.5, "Blue": 0}',
            'its keys are "red", "green", "Blue"; '
            'a prediction must have exactly the keys "red", "green" and "blue"',
        ),
        (
            '{"red": 0.5, "green": 0.7, "blue": -0.2}',
            'probability of "blue" is -0.2; every probability must be a number from 0 to 1',
        ),
        (
            '{"red": 0.5, "green": 0.5, "blue": 0.5}',
            "probabilities sum to 1.5; they must sum to 1 (within 0.000001)",
        ),
        (
            '{"red": 1, "green": 0, "blue": null}',
            'probability of "blue" is null; every probability must be a number from 0 to 1',
        ),
    ],
)
def test_multiclass_takes_nothing_else(entry: str, problem: str) -> None:
    good = '{"red": 1.0, "green": 0.0, "blue": 0.0}'
    found = predictions_problem(predicted(good, entry), range(6, 8), MULTICLASS)
    assert found == f"row 7: {problem} (rows count from 0)"


def test_of_many_classes_only_the_wrong_ones_are_named() -> None:
    entry = dict.fromkeys(MANY.labels[1:], 0.01) | {"other": 0.01}
    assert predictions_problem(predicted(json.dumps(entry)), range(1), MANY) == (
        'row 0: it lacks "class 0" and it has "other", which no class is called; '
        "a prediction must have exactly the 100 class labels as keys (rows count from 0)"
    )
    assert predictions_problem(predicted("1"), range(1), MANY) == (
        'row 0: prediction is 1; it must be an object with the keys "class 0", "class 1", "class 2", "class 3", '
        '"class 4" and 95 more (rows count from 0)'
    )


def test_probabilities_of_many_classes_may_be_rounded() -> None:
    entry = json.dumps(dict.fromkeys(MANY.labels, 0.01))
    assert predictions_problem(predicted(entry), range(1), MANY) is None


def test_anomaly_score_is_a_finite_number() -> None:
    anomaly = Target("Anomaly")
    assert predictions_problem(predicted("-0.5", "7"), range(2), anomaly) is None
    assert predictions_problem(predicted("0.5", '{"score": 1}'), range(2), anomaly) == (
        'row 1: anomaly score is the object {"score": 1}; every anomaly score must be a finite number '
        "(rows count from 0)"
    )


@pytest.mark.parametrize(
    "entry", ["0.5", "1", "-0.0", "1e300", "NaN", "true", "1e999", "1" + "0" * 400, "null"]
)
@pytest.mark.parametrize("others", [[], ["0.5"] * 3, ["1"], ["0.5", "NaN"]])
def test_many_rows_are_judged_as_each_alone(entry: str, others: list[str]) -> None:
    """The quick look at all rows at once must never see more, or less, than the slow one at each."""
    alone = [predictions_problem(predicted(one), range(1), REGRESSION) is None for one in [*others, entry]]
    together = predictions_problem(predicted(*others, entry), range(len(others) + 1), REGRESSION)
    assert (together is None) is all(alone)


@pytest.mark.parametrize("value", ["0.5", "0", "1", "NaN", "-0.1", "1.5", "true", "null", '"0.5"', "1e999"])
@pytest.mark.parametrize("first", ["0.5", "NaN", "1"])
def test_many_probabilities_are_judged_as_each_alone(value: str, first: str) -> None:
    entries = [f'{{"yes": {first}, "no": 0.5}}', f'{{"yes": {value}, "no": 0.5}}']
    alone = [predictions_problem(predicted(one), range(1), BINARY) is None for one in entries]
    assert (predictions_problem(predicted(*entries), range(2), BINARY) is None) is all(alone)


def test_good_predictions_are_given_label_by_label() -> None:
    entries = ('{"yes": 1, "no": 0}', '{"no": 0.75, "yes": 0.25}')
    assert judged(predicted(*entries), range(2), BINARY) == Predictions(
        {"yes": [1.0, 0.25], "no": [0.0, 0.75]}
    )
    assert judged(predicted("1", "2.5"), range(2), REGRESSION) == Predictions({"": [1.0, 2.5]})


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (Trouble("connection refused"), "connection refused"),
        (answer("", 404), "answered HTTP 404 with an empty body"),
        (answer("", 307), "answered HTTP 307 with an empty body"),
        (answer("a\n  b", 500), 'answered HTTP 500 with "a b"'),
        (answer('{"predictions": [1, 2]}', 201), 'answered HTTP 201 with "{\\"predictions\\": [1, 2]}"'),
        (Answer(200, b"[" * 9, whole=False), "the answer is too long: reading stopped after 9 bytes"),
        (Answer(200, b"?", encoding="br"), "the answer is compressed ('br'), which was not asked for"),
        (answer(""), "the answer is not JSON (line 1, column 1: Expecting value): an empty body"),
        (
            answer('{"predictions": [1.0,'),
            'the answer is not JSON (line 1, column 22: Expecting value): "{\\"predictions\\": [1.0,"',
        ),
        (answer(b"\xff\xfe"), 'the answer is not UTF-8 (byte 0): "��"'),
        (answer("1" * 5000), "the answer holds a number of thousands of digits"),
        (answer("[1, 2]"), 'the answer is the list [1, 2], not an object with the key "predictions"'),
        (answer("null"), 'the answer is null, not an object with the key "predictions"'),
        (answer("{}"), 'the answer has no key "predictions"; it has no keys'),
        (
            answer(json.dumps(dict.fromkeys("abcdefgh"))),
            'the answer has no key "predictions"; its keys are "a", "b", "c", "d", "e" and 3 more',
        ),
        (answer('{"predictions": {"0": 1}}'), '"predictions" is the object {"0": 1}, not a list'),
        (predicted("1"), "1 predictions for 2 rows; exactly one prediction a row is needed"),
        (predicted("1", "2", "3"), "3 predictions for 2 rows; exactly one prediction a row is needed"),
    ],
)
def test_answer_without_a_list_of_predictions_is_explained(reply: Reply, problem: str) -> None:
    assert predictions_problem(reply, range(4, 6), REGRESSION) == f"rows 4 to 5: {problem}"


@pytest.mark.parametrize(
    "reply",
    [
        answer("[" * 200_000),
        answer('{"predictions": ' + "[" * 200_000),
        answer(json.dumps({"k" * 100_000: 1})),
        answer("x" * 1_000_000, 500),
        predicted(json.dumps("x" * 1_000_000), "1"),
        predicted(json.dumps(list(range(1_000_000))), "1"),
        predicted(json.dumps({"k" * 100_000: 1}), "1"),
    ],
    ids=["deep", "deep list", "long key", "long error", "long text", "long list", "long label"],
)
@pytest.mark.parametrize("target", [REGRESSION, BINARY], ids=["regression", "binary"])
def test_message_is_short_whatever_the_answer(reply: Answer, target: Target) -> None:
    problem = predictions_problem(reply, range(2), target)
    assert problem is not None
    assert len(problem) < 400
    assert "\n" not in problem


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        (range(3, 4), "row 3"),
        (range(3, 6), "rows 3 to 5"),
        ((2,), "row 2"),
        ((2, 3), "rows 2 to 3"),
        ((2, 9, 4), "3 rows"),
    ],
)
def test_rows_are_named_whichever_they_are(rows: Sequence[int], named: str) -> None:
    assert predictions_problem(Trouble("silence"), rows, REGRESSION) == f"{named}: silence"


def test_two_hundred_is_ready_whatever_the_body() -> None:
    assert readiness_problem(answer("")) is None
    assert readiness_problem(answer('{"message": "ok"}')) is None


@pytest.mark.parametrize(
    ("reply", "problem", "strange"),
    [
        (Trouble("connection refused"), "connection refused", False),
        (answer("", 503), "answered HTTP 503 with an empty body", False),
        (answer("no", 500), 'answered HTTP 500 with "no"', False),
        (answer("", 404), "answered HTTP 404 with an empty body", True),
        (answer("", 302), "answered HTTP 302 with an empty body", True),
        (answer("", 204), "answered HTTP 204 with an empty body", True),
    ],
)
def test_anything_else_is_not_ready(reply: Reply, problem: str, strange: bool) -> None:
    assert readiness_problem(reply) == problem
    assert is_strange(reply) is strange


@pytest.mark.parametrize(
    ("statuses", "overall"),
    [
        ("succeeded succeeded", "succeeded"),
        ("succeeded skipped", "succeeded"),
        ("succeeded warning", "warning"),
        ("warning failed", "failed"),
        ("failed aborted", "failed"),
        ("succeeded aborted", "aborted"),
        ("warning aborted", "aborted"),
    ],
)
def test_overall_word_is_the_worst(statuses: str, overall: str) -> None:
    assert roll_up(CheckStatus(word) for word in statuses.split()) == overall
