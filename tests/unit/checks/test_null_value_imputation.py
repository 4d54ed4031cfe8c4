"""Check `nullValueImputation` against real model servers."""

from __future__ import annotations

import re
import threading
import time
from typing import Any

import pytest

from modelyard.api.check_plan import CheckName
from modelyard.api.check_report import MAX_FINDINGS, CheckRecord
from modelyard.checks.data import DataSet
from modelyard.checks.null_value_imputation import sample_size
from tests.support.models.model_server import Columns, Model
from tests.unit.checks.checking import LIMITS, checked, plan_for
from tests.unit.checks.conftest import PREFIX, ServeModel, StartModel

DATA = DataSet(
    {"age": [31, 45, 27, 60], "city": ["Oslo", "Bergen", "Oslo", "Bodø"], "income": [1.5, 2.5, 3.5, 4.5]}
)


async def null_check(address: str, data: DataSet = DATA, **fields: Any) -> CheckRecord:
    found = await checked(plan_for(address, **fields), data)
    return found.record(CheckName.NULL_VALUE_IMPUTATION)


class Hears(Model):
    """Keeps what it was sent."""

    heard: list[Columns]

    def predictions(self, columns: Columns) -> list[Any]:
        self.heard.append(columns)
        return super().predictions(columns)


class FailsOn(Model):
    """Answers 500 as soon as one of `columns_needed` holds a null."""

    columns_needed: tuple[str, ...] = ()

    def answer(self, columns: Columns) -> None:
        for name in self.columns_needed:
            if None in columns[name]:
                return self.send(500, f"KeyError: {name}".encode())
        return super().answer(columns)


async def test_every_column_is_nulled_in_turn_and_then_all(serve_model: ServeModel) -> None:
    class Heard(Hears):
        heard: list[Columns] = []

    record = await null_check(serve_model(Heard), configuration={"sideEffects": "skip"})
    assert (record.status, record.message) == (
        "succeeded",
        "4 rows predicted with each of 3 columns nulled, and all together",
    )
    nulls = [None] * 4
    assert Heard.heard[2:] == [
        DATA.columns,
        {**DATA.columns, "age": nulls},
        {**DATA.columns, "city": nulls},
        {**DATA.columns, "income": nulls},
        dict.fromkeys(DATA.columns, nulls),
    ]
    assert (record.requests, record.rows) == (5, 20)


async def test_only_column_is_nulled_once(start_model: StartModel) -> None:
    address = start_model("good_regression", URL_PREFIX=PREFIX)
    record = await null_check(address, DataSet({"a": [1, 2]}))
    assert record.message == "2 rows predicted with its only column nulled"
    assert record.requests == 2


async def test_all_columns_that_fail_are_named_and_reported(serve_model: ServeModel) -> None:
    class NeedsTwo(FailsOn):
        columns_needed = ("age", "income")

    record = await null_check(serve_model(NeedsTwo))
    assert record.status == "failed"
    assert record.message == (
        '2 of 3 columns cannot be null: "age", "income", nor can all columns together; '
        'column "age" nulled: rows 0 to 3: answered HTTP 500 with "KeyError: age"'
    )
    assert [(finding.where, finding.message) for finding in record.findings] == [
        ('column "age" nulled', 'rows 0 to 3: answered HTTP 500 with "KeyError: age"'),
        ('column "income" nulled', 'rows 0 to 3: answered HTTP 500 with "KeyError: income"'),
        ("all columns nulled", 'rows 0 to 3: answered HTTP 500 with "KeyError: age"'),
    ]


async def test_many_columns_that_fail_are_counted_and_bounded(serve_model: ServeModel) -> None:
    names = tuple(f"c{number}" for number in range(MAX_FINDINGS + 10))

    class NeedsAll(FailsOn):
        columns_needed = names

    record = await null_check(serve_model(NeedsAll), DataSet({name: [1, 2] for name in names}))
    assert record.message.startswith(
        '60 of 60 columns cannot be null: "c0", "c1", "c2", "c3", "c4" and 55 more, nor can all columns together; '
    )
    assert (len(record.findings), record.findings_left_out) == (MAX_FINDINGS, 11)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("drops_null_rows", r"rows 0 to 3: 0 predictions for 4 rows; exactly one prediction a row is needed"),
        (
            "nan_on_null",
            r"row 0: prediction is NaN; every prediction must be a finite number \(rows count .*\)",
        ),
        ("raises_on_null", r'rows 0 to 3: answered HTTP 500 with "TypeError: .*"'),
    ],
)
async def test_status_200_is_not_enough(model: str, message: str, start_model: StartModel) -> None:
    data = DataSet({"a": [1, 2, 3, 4], "b": [5, 6, 7, 8]})
    record = await null_check(start_model(model, URL_PREFIX=PREFIX), data)
    assert record.status == "failed"
    assert re.fullmatch(
        rf'2 of 2 columns cannot be null: "a", "b", nor can all columns together; column "a" nulled: {message}',
        record.message,
    )


async def test_columns_that_fail_only_together_are_told_so(serve_model: ServeModel) -> None:
    class NeedsOne(Model):
        def predict(self, row: tuple[Any, ...]) -> Any:
            return float("nan") if set(row) == {None} else 1.0

    record = await null_check(serve_model(NeedsOne))
    assert record.message.startswith(
        "All columns together cannot be null, though each alone can; all columns nulled: row 0: prediction is NaN"
    )


async def test_sample_is_the_same_every_time_and_told(serve_model: ServeModel) -> None:
    class Heard(Hears):
        heard: list[Columns] = []

    data = DataSet({"a": list(range(500)), "b": list(range(500))})
    address = serve_model(Heard)
    only = {"longRunningService": "fail", "errorCheck": "skip", "sideEffects": "skip"}
    records = [await null_check(address, data, configuration={**only, "sampleRows": 20}) for _ in range(2)]
    samples = [
        columns["a"] for columns in Heard.heard if len(columns["a"]) == 20 and None not in columns["a"]
    ]
    assert len(samples) == 4
    assert all(sample == samples[0] == sorted(set(sample)) for sample in samples)
    assert samples[0] != list(range(20))
    assert records[0].facts == records[1].facts
    assert records[0].facts["sampleRows"] == 20
    assert records[0].facts["seed"] == 4283523256


@pytest.mark.parametrize(
    ("columns", "rows", "configured", "size"),
    [(30, 1000, 100, 100), (30, 50, 100, 50), (1000, 1000, 100, 10), (5000, 1000, 100, 1), (1, 1, 1, 1)],
)
def test_sample_shrinks_when_columns_are_very_many(
    columns: int, rows: int, configured: int, size: int
) -> None:
    data = DataSet({str(number): [0] * rows for number in range(columns)})
    assert sample_size(configured, data, LIMITS) == size


class Restarts(Model):
    """Drops the connection on a null in `age`, and is not ready for a moment after that."""

    restart_seconds = 0.1
    down_until = 0.0

    def ready(self) -> None:
        self.send(503 if time.monotonic() < Restarts.down_until else 200, b"")

    def answer(self, columns: Columns) -> None:
        if None in columns["age"]:
            Restarts.down_until = time.monotonic() + self.restart_seconds
            self.close_connection = True
            return
        super().answer(columns)


async def test_model_that_comes_back_is_waited_for_and_asked_on(serve_model: ServeModel) -> None:
    address = serve_model(Restarts)
    found = await checked(plan_for(address), DATA)
    record = found.record(CheckName.NULL_VALUE_IMPUTATION)
    assert re.fullmatch(
        r'1 of 3 columns cannot be null: "age", nor can all columns together; column "age" nulled: '
        r"rows 0 to 3: the connection was dropped before the answer was complete; the model may have crashed "
        r"or been killed; the model was ready again after 0\.\d s",
        record.message,
    )
    assert record.requests == 5
    assert found.record(CheckName.SIDE_EFFECTS).status == "succeeded"
    assert any("the model was ready again after" in line for line in found.log)


async def test_model_that_stays_away_ends_the_check_and_says_what_was_not_tried(
    start_model: StartModel,
) -> None:
    data = DataSet({"a": [1, 2], "b": [3, 4], "c": [5, 6]})
    record = await null_check(start_model("dies_on_null", URL_PREFIX=PREFIX), data)
    assert re.fullmatch(
        r'Column "a" nulled: rows 0 to 1: the connection was dropped before the answer was complete; the model may '
        r"have crashed or been killed; the model was not ready again within 0\.\d s; 2 columns were not tried",
        record.message,
    )
    assert [finding.where for finding in record.findings] == ['column "a" nulled']


async def test_waiting_for_a_model_that_falls_again_and_again_is_bounded(serve_model: ServeModel) -> None:
    class FallsAlways(Restarts):
        restart_seconds = 0.3

        def answer(self, columns: Columns) -> None:
            if None in columns["city"]:
                columns = {**columns, "age": [None]}
            super().answer(columns)

    record = await null_check(serve_model(FallsAlways))
    assert re.match(
        r'Column "city" nulled: .* was not ready again within 0\.\d s; 1 column was not tried', record.message
    )
    assert record.message.endswith('; before that 1 of 3 columns cannot be null: "age"')


async def test_model_that_hangs_on_a_null_is_named_at_the_deadline(serve_model: ServeModel) -> None:
    """With what was found before, and without harm to what was found before that check."""
    over = threading.Event()

    class Hangs(FailsOn):
        columns_needed = ("age",)

        def answer(self, columns: Columns) -> None:
            if None in columns["city"]:
                over.wait(20)
                self.close_connection = True  # Nobody listens any more.
                return
            super().answer(columns)

    plan = plan_for(serve_model(Hangs), timeoutSeconds=2, configuration={"sideEffects": "skip"})
    found = await checked(plan, DATA)
    over.set()
    record = found.record(CheckName.NULL_VALUE_IMPUTATION)
    assert record.status == "warning"
    assert re.fullmatch(
        r'The time for the test \(2 s\) is over: no answer to the prediction with column "city" nulled for 1\.\d s; '
        r'found before that: column "age" nulled: rows 0 to 3: answered HTTP 500 with "KeyError: age"',
        record.message,
    )
    assert record.requests == 3
    assert found.summary.overall_status == "warning"
