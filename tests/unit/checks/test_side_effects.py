"""Check `sideEffects` against real model servers, and the parts of it that only compute."""

from __future__ import annotations

import json
import re
import time
from itertools import count
from typing import Any

import pytest

from modelyard.api.check_plan import CheckName, Tolerance
from modelyard.api.check_report import CheckRecord
from modelyard.checks.comparison import Answers, Difference, Way, cause, differences, largest
from modelyard.checks.data import DataSet
from modelyard.checks.sampling import sampled, seed_of, shuffled
from tests.support.models.model_server import Columns, Model
from tests.unit.checks.checking import LIMITS, checked, plan_for
from tests.unit.checks.conftest import PREFIX, ServeModel, StartModel

DATA = DataSet({"a": [5, 3, 9, 1, 7, 2], "b": [0.5, None, 1.5, 2.5, 0.25, 4.0]})
TOLERANCE = Tolerance()


async def side_effects(address: str, data: DataSet = DATA, **fields: Any) -> CheckRecord:
    found = await checked(plan_for(address, **fields), data)
    return found.record(CheckName.SIDE_EFFECTS)


async def test_model_is_asked_in_every_way(serve_model: ServeModel) -> None:
    asked: list[list[int]] = []

    class Heard(Model):
        def predictions(self, columns: Columns) -> list[Any]:
            asked.append(columns["a"])
            return super().predictions(columns)

    data = DataSet({"a": list(range(20))})
    record = await side_effects(
        serve_model(Heard), data, configuration={"nullValueImputation": "skip", "sampleRows": 3}
    )
    whole, first, second, third, mixed, *alone, again = asked[2:]
    rows = list(range(20))
    assert (whole, again) == (rows, rows)
    assert (first, second, third) == (rows[:7], rows[7:14], rows[14:])
    assert mixed != rows
    assert sorted(mixed) == rows
    assert [[row] for row in sampled(20, 3, seed_of(data))] == alone
    assert (record.requests, record.rows) == (9, 20 * 4 + 3)
    assert record.message == (
        "20 rows are predicted alike at once, in batches, shuffled, 3 rows alone, and when asked again"
    )
    assert record.facts == {
        "dataRows": 20,
        "wholeRows": 20,
        "batchRows": 7,
        "sampleRows": 3,
        "seed": seed_of(data),
        "absoluteTolerance": 1e-6,
        "relativeTolerance": 1e-6,
        "distinctPredictions": 20,
    }


async def test_large_data_is_compared_by_as_many_rows_as_a_request_may_have(start_model: StartModel) -> None:
    data = DataSet({"a": list(range(2500))})
    record = await side_effects(start_model("good_regression", URL_PREFIX=PREFIX), data)
    assert record.status == "succeeded"
    assert (record.facts["dataRows"], record.facts["wholeRows"]) == (2500, LIMITS.whole_rows)
    assert record.rows == 4 * LIMITS.whole_rows + 100


@pytest.mark.parametrize("model", ["good_regression", "imputes", "jitter"])
async def test_harmless_models_pass(model: str, start_model: StartModel) -> None:
    record = await side_effects(start_model(model, URL_PREFIX=PREFIX))
    assert record.status == "succeeded"
    assert record.findings == ()


async def test_state_is_told_by_asking_again(start_model: StartModel) -> None:
    record = await side_effects(start_model("counter_state", URL_PREFIX=PREFIX))
    assert record.status == "failed"
    assert re.fullmatch(
        r"Row 0 is [\d.]+ in one request for 6 rows, but [\d.]+ when asked again; rows that differ: "
        r"6 of 6 in smaller batches, 6 of 6 with the rows shuffled, 6 of 6 row by row, 6 of 6 when asked again "
        r"\(rows count from 0\); the model keeps state between requests, or uses random numbers",
        record.message,
    )
    assert [finding.where for finding in record.findings] == [f"row {row}" for row in range(6)]


async def test_how_far_predictions_differ_at_most_is_reported(serve_model: ServeModel) -> None:
    class Grows(Model):
        def predictions(self, columns: Columns) -> list[Any]:
            return [float(len(columns["a"]))] * len(columns["a"])

    record = await side_effects(serve_model(Grows))
    assert record.facts["largestDifference"] == 5.0


async def test_state_may_be_that_of_another_replica(start_model: StartModel) -> None:
    address = start_model("counter_state", URL_PREFIX=PREFIX)
    other = start_model("good_regression", URL_PREFIX=PREFIX)
    replicas = [{"name": name, "uid": "u", "address": one} for name, one in (("a", address), ("b", other))]
    record = await side_effects(address, replicas=replicas)
    assert record.message.endswith("or uses random numbers, or the replicas differ")


async def test_sorted_output_is_told_by_its_values(start_model: StartModel) -> None:
    """Rows one by one show where it began: the whole answer was sorted as well."""
    record = await side_effects(start_model("sorted_output", URL_PREFIX=PREFIX))
    assert record.message == (
        "Row 0 is 3.0 in one request for 6 rows, but 5.5 row by row; rows that differ: "
        "5 of 6 in smaller batches, 6 of 6 with the rows shuffled, 5 of 6 row by row (rows count from 0); "
        "the predictions come back in another order than the rows (are they sorted, or grouped?)"
    )


async def test_dependence_on_the_batch_is_told_from_state(start_model: StartModel) -> None:
    record = await side_effects(start_model("batch_normalising", URL_PREFIX=PREFIX))
    assert re.search(
        r"but 0\.0 row by row; .* \(rows count from 0\); a prediction depends on the rows sent",
        record.message,
    )
    assert "when asked again" not in record.message


async def test_dependence_on_the_order_is_told(serve_model: ServeModel) -> None:
    class Falls(Model):
        """Adds one where the row before is greater: never in rows that are sorted as time series are."""

        def predictions(self, columns: Columns) -> list[Any]:
            values = columns["a"]
            return [value + (value < before) for value, before in zip(values, [0, *values], strict=False)]

    data = DataSet({"a": list(range(40))})
    record = await side_effects(serve_model(Falls), data, configuration={"nullValueImputation": "skip"})
    assert re.search(r" of 40 with the rows shuffled \(rows count from 0\); ", record.message)
    assert record.message.endswith("; a prediction depends on the order of the rows")


async def test_differing_label_is_named(serve_model: ServeModel) -> None:
    class Drifts(Model):
        seen = count()

        def predictions(self, columns: Columns) -> list[Any]:
            drift = 0.001 * next(self.seen)
            return [{"no": 0.5 - drift, "yes": 0.5 + drift} for _ in columns["a"]]

    record = await side_effects(
        serve_model(Drifts), targetType="Binary", positiveClassLabel="yes", negativeClassLabel="no"
    )
    assert re.match(
        r'Row 0, label "yes" is 0\.5\d+ in one request for 6 rows, but 0\.5\d+ when asked again',
        record.message,
    )
    assert record.findings[0].where == 'row 0, label "yes"'


async def test_answer_for_one_row_alone_must_be_a_list_too(serve_model: ServeModel) -> None:
    """What numpy's squeeze does to a single prediction, the classic."""

    class Squeezes(Model):
        def answer(self, columns: Columns) -> None:
            found = self.predictions(columns)
            self.send_json({"predictions": found if len(found) > 1 else found[0]})

    record = await side_effects(
        serve_model(Squeezes), configuration={"sideEffects": "fail", "errorCheck": "skip"}
    )
    assert record.message == (
        'Asked row by row, row 0: "predictions" is 5.5, not a list; 5 more requests had no good answer'
    )
    assert len(record.findings) == 6
    assert record.findings[1].where == "asked row by row"


async def test_bad_answers_and_differences_are_told_together(serve_model: ServeModel) -> None:
    class Both(Model):
        def answer(self, columns: Columns) -> None:
            rows = len(columns["a"])
            if columns["a"] == [3]:
                self.send(500, b"ValueError")
            else:
                self.send_json({"predictions": [rows] * rows})

    record = await side_effects(serve_model(Both))
    assert record.message == (
        'Asked row by row, row 1: answered HTTP 500 with "ValueError"; '
        "row 0 is 6.0 in one request for 6 rows, but 1.0 row by row; rows that differ: "
        "6 of 6 in smaller batches, 5 of 5 row by row (rows count from 0); "
        "a prediction depends on the rows sent with it (is something computed over the whole request?)"
    )


async def test_random_and_constant_models_are_told_apart(serve_model: ServeModel) -> None:
    class Constant(Model):
        def predict(self, row: tuple[Any, ...]) -> Any:
            return 1.0

    record = await side_effects(serve_model(Constant))
    assert record.status == "succeeded"
    assert record.message.endswith("; all rows have the same prediction, though, so that little could differ")
    assert record.facts["distinctPredictions"] == 1


async def test_one_row_alone_says_how_little_that_proves(start_model: StartModel) -> None:
    record = await side_effects(start_model("good_regression", URL_PREFIX=PREFIX), DataSet({"a": [1]}))
    assert record.message == (
        "The only row is predicted alike when asked again; whether rows influence each other needs more"
    )


async def test_model_that_dies_is_told(serve_model: ServeModel) -> None:
    class DiesAlone(Model):
        dead = False

        def ready(self) -> None:
            self.send(503 if DiesAlone.dead else 200, b"")

        def answer(self, columns: Columns) -> None:
            if len(columns["a"]) == 1:
                DiesAlone.dead = self.close_connection = True
            else:
                super().answer(columns)

    record = await side_effects(serve_model(DiesAlone))
    assert re.fullmatch(
        r"Row 0: the connection was dropped before the answer was complete; the model may have crashed or been killed; "
        r"the model was not ready again within 0\.\d s",
        record.message,
    )


async def test_what_was_found_before_the_time_ran_out_is_told(serve_model: ServeModel) -> None:
    """And that a model which answers every question, only slowly, needs more time or fewer rows."""

    class SlowAlone(Model):
        def predictions(self, columns: Columns) -> list[Any]:
            if len(columns["a"]) == 1:
                time.sleep(0.2)
            return [len(columns["a"])] * len(columns["a"])

    data = DataSet({"a": list(range(30))})
    configuration = {"nullValueImputation": "skip", "sideEffects": "fail"}
    record = await side_effects(serve_model(SlowAlone), data, timeoutSeconds=2, configuration=configuration)
    assert re.fullmatch(
        r"The time for the test \(2 s\) is over: no answer to the prediction of row \d row by row for 0\.\d s; "
        r"the model answers, but slowly: give timeoutSeconds more, or sampleRows less; "
        r"found before that: row 0: 30\.0 in one request for the whole, 10\.0 in smaller batches, 1\.0 row by row",
        record.message,
    )
    assert len(record.findings) == 30


async def test_large_data_is_told_to_be_compared_in_part(start_model: StartModel) -> None:
    data = DataSet({"a": list(range(1200))})
    record = await side_effects(start_model("good_regression", URL_PREFIX=PREFIX), data)
    assert record.message == (
        "The first 1000 of 1200 rows are predicted alike at once, in batches, shuffled, 100 rows alone, "
        "and when asked again"
    )


async def test_tolerance_is_the_users(serve_model: ServeModel) -> None:
    class Rounds(Model):
        """As single precision does, whose sums depend on how many rows are computed at once."""

        def predictions(self, columns: Columns) -> list[Any]:
            found = super().predictions(columns)
            return [value * (1 + 3e-6 * (len(found) > 1)) for value in found]

    address = serve_model(Rounds)
    record = await side_effects(address)
    assert record.status == "failed"
    assert record.message.endswith(
        "; the differences are small, 3e-05 at most, as rounding in single precision makes them; "
        "if they are, give a larger tolerance"
    )
    wide = {"sideEffects": "fail", "tolerance": {"absolute": 0, "relative": 1e-5}}
    record = await side_effects(address, configuration=wide)
    assert record.status == "succeeded"
    assert (record.facts["absoluteTolerance"], record.facts["relativeTolerance"]) == (0, 1e-5)


@pytest.mark.parametrize(
    ("expected", "value", "tolerance", "differ"),
    [
        (0.0, 1e-6, TOLERANCE, False),
        (0.0, 1.1e-6, TOLERANCE, True),
        (1e9, 1e9 + 1000, TOLERANCE, False),
        (1e9, 1e9 + 1001, TOLERANCE, True),
        (-1e9, -1e9 - 1000, TOLERANCE, False),
        (1e308, -1e308, TOLERANCE, True),
        (1e308, 1e308, TOLERANCE, False),
        (0.5, 0.5, Tolerance(absolute=0, relative=0), False),
        (0.5, 0.5 + 1e-16, Tolerance(absolute=0, relative=0), True),
        (10.0, 11.0, Tolerance(absolute=0, relative=0.1), False),
        (11.0, 10.0, Tolerance(absolute=0, relative=0.09), True),
        (10.0, 11.0, Tolerance(absolute=0, relative=0.095), True),
    ],
)
def test_two_values_are_equal_within_the_tolerance(
    expected: float, value: float, tolerance: Tolerance, differ: bool
) -> None:
    found = differences(Answers([0], {"": [expected]}), Answers([0], {"": [value]}), tolerance)
    assert bool(found) is differ


def test_rows_are_compared_each_with_its_own_in_any_order() -> None:
    whole = Answers(range(3), {"x": [0.1, 0.2, 0.3], "y": [0.9, 0.8, 0.7]})
    other = Answers((2, 0), {"x": [0.3, 0.1], "y": [0.7, 0.5]})
    assert differences(whole, other, TOLERANCE) == [Difference(0, "y", 0.9, 0.5)]


def test_largest_difference_can_always_be_written() -> None:
    assert json.dumps(largest({Way.REPEATED: [Difference(0, "", 1.7e308, -1.7e308)]}), allow_nan=False)


def test_rounding_explains_only_what_is_small_everywhere() -> None:
    whole = Answers(range(2), {"": [1.0, 2.0]})
    other = Answers(range(2), {"": [1.00001, 3.0]})
    differing = {Way.ROW_BY_ROW: differences(whole, other, TOLERANCE)}
    assert cause(whole, {Way.ROW_BY_ROW: other}, differing, 1).startswith("a prediction depends on the rows")
    differing[Way.ROW_BY_ROW].pop()
    assert cause(whole, {Way.ROW_BY_ROW: other}, differing, 1).startswith("the differences are small")


def test_small_differences_of_the_same_request_are_no_rounding() -> None:
    whole, again = Answers([0], {"": [1.0]}), Answers([0], {"": [1.00001]})
    differing = {Way.REPEATED: differences(whole, again, TOLERANCE)}
    assert cause(whole, {Way.REPEATED: again}, differing, 1) == (
        "the model keeps state between requests, or uses random numbers (by 1e-05 at most)"
    )


@pytest.mark.parametrize("rows", [2, 3, 10])
def test_shuffled_rows_are_never_in_order(rows: int) -> None:
    for seed in range(200):
        order = shuffled(rows, seed)
        assert sorted(order) == list(range(rows))
        assert order != tuple(range(rows))


def test_seed_is_of_the_data_however_it_was_written() -> None:
    assert seed_of(DataSet({"a": [1, None]}, "x.csv", "csv", "0")) == seed_of(DataSet({"a": [1, None]}))
    assert seed_of(DataSet({"a": [1, None]})) != seed_of(DataSet({"a": [1, 0]}))


def test_sample_is_all_rows_when_there_are_few() -> None:
    assert sampled(3, 100, 1) == (0, 1, 2)
