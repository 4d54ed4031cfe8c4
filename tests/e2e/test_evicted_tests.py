"""Tests of the gate whose own pod is evicted: each says so, runs once more, and is judged by its second run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.cluster.kubectl import Kubectl, Manifest
from tests.cluster.waiting import until
from tests.e2e.load import read_log
from tests.e2e.team import Team, names, new_team
from tests.support.cluster_objects import gate
from tests.support.objects import make_dataset

SLOW = """
import time

def predict(columns):
    time.sleep(4)
    return [{} for _ in columns["id"]]
"""
"""Gives an eviction its time."""

MODELS = {"good": "1.0", "bad": "float('nan')"}
"""What each of them predicts."""

ROWS = make_dataset(json.dumps({"id": ["a", "b"]}))
ONLY_ERRORS = {"nullValueImputation": "skip", "sideEffects": "skip"}

BEGINS = "longRunningService begins"
"""A line in the log of a runner that has started."""


@dataclass(frozen=True, slots=True)
class Evicted:
    """A model, and the status of its test in the first run and in the second."""

    team: Team
    model: str
    first: Manifest
    second: Manifest


@pytest.fixture(scope="module")
def evicted(operator: str, python_image: str, kubectl: Kubectl) -> Iterator[dict[str, Evicted]]:
    """The models by name; both runners were evicted while they waited for an answer."""
    with new_team(kubectl, python_image, "evicted") as team:
        team.apply(*(team.model(name, gate=gate(dataset=ROWS, configuration=ONLY_ERRORS)) for name in MODELS))
        team.apply(*(team.version(name, "1.0", predict=SLOW.format(said)) for name, said in MODELS.items()))
        first = {model: evict(team, model) for model in MODELS}
        second = {model: await_status(team, model, lambda now: now.get("attempts") == 2) for model in MODELS}
        yield {model: Evicted(team, model, first[model], second[model]) for model in MODELS}


def await_status(team: Team, model: str, holds: Callable[[Manifest], bool]) -> Manifest:
    """The status of the one test of a model's gate, once this holds of it."""

    def found() -> Manifest:
        tests = team.kubectl.list("modeltests", team.namespace, f"modelyard.dev/of-model={model}")
        now: Manifest = tests[0].get("status", {}) if tests else {}
        return now if holds(now) else {}

    return until(f"the test of {model} is so", found, timeout=120, every=0.3)


def evict(team: Team, model: str) -> Manifest:
    """Evict the runner of a model's test as soon as it asks the model; the status of the test at that time."""
    status = await_status(team, model, lambda now: "job" in now)

    def begun() -> str:
        pods = names(team.kubectl.list("pods", team.namespace, f"job-name={status['job']}"))
        return next((pod for pod in pods if BEGINS in "".join(read_log(team, pod))), "")

    team.kubectl.evict(until(f"{status['job']} asks", begun, timeout=60, every=0.3), team.namespace)
    return status


def why(status: Manifest) -> str:
    """What a test says of how it stands."""
    return next(str(one["message"]) for one in status["conditions"] if one["type"] == "Ready")


@pytest.mark.parametrize("model", MODELS)
def test_an_evicted_test_runs_once_more_by_another_job_and_says_why(
    model: str, evicted: dict[str, Evicted]
) -> None:
    first, second = evicted[model].first, evicted[model].second

    assert (first["attempts"], second["attempts"]) == (1, 2)
    assert first["job"] != second["job"]
    assert second["overallStatus"] == "in_progress"
    assert why(second).startswith(f'Job "{second["job"]}" runs once more because ')
    assert "the cluster took the test's own pod away" in why(second)
    assert "EvictionByEvictionAPI" in why(second)


def test_a_good_model_serves_after_its_second_run(evicted: dict[str, Evicted]) -> None:
    team = evicted["good"].team
    team.await_serving("good", "1.0")

    ended = await_status(team, "good", lambda now: "completedAt" in now)
    assert (ended["overallStatus"], ended["attempts"]) == ("succeeded", 2)


def test_a_bad_model_is_refused_by_its_second_run_and_not_by_its_first(evicted: dict[str, Evicted]) -> None:
    team = evicted["bad"].team
    team.await_refused("bad", "1.0")

    ended = await_status(team, "bad", lambda now: "completedAt" in now)
    assert (ended["overallStatus"], ended["attempts"]) == ("failed", 2)
    row = team.version_row("bad", "1.0", "False TestsFailed")
    assert "errorCheck: Row 0: prediction is NaN" in row
