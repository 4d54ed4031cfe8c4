"""Check `longRunningService` by what a model sees and does after its first data; being ready is in test_runner."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.api.check_plan import CheckName, CheckPlan
from modelyard.api.check_report import CheckRecord
from modelyard.checks.data import DataSet
from tests.support.models.model_server import Columns, Model
from tests.unit.checks.checking import LIMITS, checked, plan_for
from tests.unit.checks.conftest import ServeModel

DATA = DataSet({"a": [1, 2, 3]})
ALONE = {"errorCheck": "skip", "nullValueImputation": "skip", "sideEffects": "skip"}


def plan_of(*addresses: str) -> CheckPlan:
    """A plan of this check alone, for a replica at each address."""
    replicas = [
        {"name": f"hello-{number}", "uid": str(number), "address": address}
        for number, address in enumerate(addresses)
    ]
    return plan_for(addresses[0], replicas=replicas, configuration=ALONE)


async def ran(*addresses: str, data: DataSet = DATA) -> CheckRecord:
    found = await checked(plan_of(*addresses), data)
    return found.record(CheckName.LONG_RUNNING_SERVICE)


async def test_data_is_sent_as_json(serve_model: ServeModel) -> None:
    heard: list[str | None] = []

    class Heard(Model):
        def answer(self, columns: Columns) -> None:
            heard.append(self.headers["Content-Type"])
            super().answer(columns)

    await ran(serve_model(Heard))

    assert heard == ["application/json"]


@pytest.mark.parametrize(
    ("replicas", "message"),
    [
        (1, "The replica answered and stayed up; it predicted the first 3 rows"),
        (2, "All 2 replicas answered and stayed up; each predicted the first 3 rows"),
    ],
)
async def test_who_predicted_is_told(replicas: int, message: str, serve_model: ServeModel) -> None:
    record = await ran(*(serve_model(Model) for _ in range(replicas)))

    assert (record.status, record.message) == ("succeeded", message)
    assert record.facts == {"replicas": replicas, "settleSeconds": LIMITS.settle_seconds}


@pytest.mark.parametrize(("replicas", "who"), [(1, "it"), (2, "each")])
async def test_wrong_answers_of_all_are_left_to_the_error_check(
    replicas: int, who: str, serve_model: ServeModel
) -> None:
    class Wrong(Model):
        def predict(self, row: tuple[Any, ...]) -> Any:
            return "wrong"

    record = await ran(*(serve_model(Wrong) for _ in range(replicas)))

    assert record.message.endswith(
        f"; {who} answered when sent data, though not rightly, which errorCheck judges"
    )


async def test_a_model_that_its_first_data_unsettles_has_not_stayed_up(serve_model: ServeModel) -> None:
    class Unsettled(Model):
        well = True

        def ready(self) -> None:
            self.send(200 if Unsettled.well else 503, b"")

        def answer(self, columns: Columns) -> None:
            Unsettled.well = False
            super().answer(columns)

    address = serve_model(Unsettled)
    record = await ran(address)

    assert (record.status, record.message) == (
        "failed",
        f"Replica hello-0 ({address}) was ready, but after the first data: "
        "answered HTTP 503 with an empty body; the model must stay up",
    )


async def test_an_answer_that_says_it_is_not_encoded_is_read(serve_model: ServeModel) -> None:
    class Plain(Model):
        def send(self, status: int, body: bytes, **headers: str) -> None:
            super().send(status, body, Content_Encoding="identity", **headers)

    record = await ran(serve_model(Plain))

    assert record.message.endswith("; it predicted the first 3 rows")


async def test_one_row_is_told_as_one(serve_model: ServeModel) -> None:
    class Silent(Model):
        def predictions(self, columns: Columns) -> list[Any]:
            return []

    address = serve_model(Silent)
    record = await ran(address, data=DataSet({"a": [1]}))

    assert [finding.message for finding in record.findings] == [
        "row 0: 0 predictions for 1 row; exactly one prediction a row is needed"
    ]
