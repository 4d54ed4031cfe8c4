"""Tests that people make: each on a copy of its own, one after the other, while what serves takes no notice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.cluster.kubectl import Kubectl, Manifest
from tests.cluster.waiting import NeverHappened, until
from tests.e2e.load import Load, read_log
from tests.e2e.team import Team, names, new_team
from tests.support.cluster_objects import version_name
from tests.support.objects import as_applied, make_dataset, make_test

TAKES_ITS_TIME = """
import os, time

def predict(columns):
    ids = [str(id) for id in columns["id"]]
    time.sleep(max([float(id.partition(":")[2] or 0) for id in ids]))
    return [float(os.environ["MODEL_VERSION"]) for _ in ids]
"""
"""Answers an id like "hand:3" after so many seconds, all others at once."""

EATS = """
def predict(columns):
    return [float(len(bytearray(160 << 20))) for _ in columns["id"]]
"""
"""Wants 160 MiB for each row that it is sent, and nothing before."""

ONLY_ERRORS = {"nullValueImputation": "skip", "sideEffects": "skip"}
CANCELED_WITHIN = 15
"""Seconds on a busy machine; what a canceled test did until then would take ten times that."""


@pytest.fixture(scope="module")
def team(operator: str, python_image: str, kubectl: Kubectl) -> Iterator[Team]:
    """A namespace with two models that serve; tests of the one whose turn comes last are under way."""
    with new_team(kubectl, python_image, "by-hand") as team:
        team.apply(team.model("hello"), team.version("hello", "1.0", predict=TAKES_ITS_TIME))
        team.apply(team.model("greedy"), team.version("greedy", "1.0", predict=EATS, maximumMemory="384Mi"))
        team.await_serving("hello", "1.0")
        team.await_serving("greedy", "1.0")
        team.apply(
            by_hand(team, "tight", "a", model="greedy", maximumMemory="128Mi"),
            by_hand(team, "roomy", "a", model="greedy"),
        )
        yield team


def by_hand(team: Team, name: str, *ids: str, model: str = "hello", **spec: Any) -> Manifest:
    """A test of version 1.0 that sends these ids."""
    rows = make_dataset(json.dumps({"id": ids}))
    asked = {"dataset": rows, "configuration": ONLY_ERRORS, "timeoutSeconds": 240, **spec}
    tested = {"name": version_name(model, "1.0")}
    return as_applied(make_test(name, namespace=team.namespace, versionRef=tested, **asked))


def status(team: Team, name: str) -> Manifest:
    found: Manifest = team.object("modeltest", name).get("status", {})
    return found


def await_status(
    team: Team, name: str, what: str, holds: Callable[[Manifest], bool], timeout: float = 150
) -> Manifest:
    """The status of a test, once this holds of it."""

    def found() -> Manifest:
        now = status(team, name)
        return now if holds(now) else {}

    try:
        return until(f"{name} {what}", found, timeout=timeout, every=0.3)
    except NeverHappened as never:
        raise NeverHappened(f"{never}\n{team.picture()}") from None


def await_word(team: Team, name: str, word: str, timeout: float = 150) -> Manifest:
    """The status of a test, once it says so."""
    return await_status(team, name, f"is {word}", lambda now: now.get("overallStatus") == word, timeout)


def await_running(team: Team, name: str) -> Manifest:
    """The status of a test whose Job was made."""
    return await_status(team, name, "runs", lambda now: "job" in now)


def await_nothing_left(team: Team, name: str, *kept: str) -> None:
    """Until all that was made for a test is gone, but for the test itself and what is kept of it."""

    def left() -> list[str]:
        mine = [found for found in team.remains() if found.partition("/")[2].startswith(f"{name}-")]
        return [found for found in mine if found not in kept]

    until(f"nothing is left of {name}", lambda: not left(), timeout=90, every=0.5)


def said(found: Manifest, type: str = "Succeeded") -> tuple[str, str, str]:
    """A condition as (status, reason, message)."""
    condition = next(c for c in found["conditions"] if c["type"] == type)
    return condition["status"], condition["reason"], condition["message"]


def test_a_test_runs_on_a_copy_and_what_serves_takes_no_notice(team: Team) -> None:
    (serving,) = team.ready_pods("hello", "1.0")
    load = Load(team, "hello")
    load.start()

    overrides: Manifest = {"maximumMemory": "192Mi", "replicas": 2, "networkEgressPolicy": "PUBLIC"}
    team.apply(by_hand(team, "wide", "hand:3", "hand:1", **overrides))
    running = await_running(team, "wide")
    copy = running["workload"]
    deployment = team.object("deployment", copy)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    pods = team.kubectl.list("pods", team.namespace, f"modelyard.dev/workload={copy}")
    policy = team.object("networkpolicy", copy)["spec"]
    ended = await_word(team, "wide", "succeeded")
    answers = load.stop()

    assert deployment["spec"]["replicas"] == len(pods) == 2
    assert (
        container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"] == "192Mi"
    )
    for pod in pods:
        assert not {"modelyard.dev/serves", "modelyard.dev/model"} & pod["metadata"]["labels"].keys()
    assert policy["ingress"][0]["from"] == [{"podSelector": {"matchLabels": {"modelyard.dev/tests": copy}}}]
    assert policy["egress"]
    assert (said(ended)[:2], ended["attempts"]) == (("True", "Passed"), 1)
    assert [answer for answer in answers if answer.error or answer.version != "1.0"] == []
    assert len(answers) > 20
    asked = {id for line in read_log(team, serving["metadata"]["name"]) for id in _ids(line)}
    assert not {"hand:3", "hand:1"} & asked
    assert names(team.ready_pods("hello", "1.0")) == [serving["metadata"]["name"]]
    await_nothing_left(team, "wide", f"job.batch/{ended['job']}", *_runner_and_report(team, ended))


def _ids(line: str) -> list[str]:
    return list(json.loads(line)) if line.startswith("[") else []


def _runner_and_report(team: Team, ended: Manifest) -> list[str]:
    pods = team.kubectl.list("pods", team.namespace, f"modelyard.dev/workload={ended['job']}")
    report = ended.get("report", {}).get("configMap")
    return [*(f"pod/{name}" for name in names(pods)), *([f"configmap/{report}"] if report else [])]


def test_two_tests_run_one_after_the_other_and_say_whose_turn_it_is(team: Team) -> None:
    team.apply(by_hand(team, "first", "hand:4"))
    await_running(team, "first")
    team.apply(by_hand(team, "second", "hand"), by_hand(team, "third", "hand"))

    waiting = await_status(team, "third", "is 2nd", lambda now: now.get("queuePosition") == 2, timeout=30)
    assert waiting["overallStatus"] == "queued"
    assert said(waiting) == (
        "Unknown",
        "Queued",
        '2nd of 2 waiting tests of model "hello"; test "first" runs',
    )
    ended = [await_word(team, name, "succeeded") for name in ("first", "second", "third")]
    assert all("queuePosition" not in found for found in ended)
    for before, after in pairwise(ended):
        assert before["completedAt"] <= after["startedAt"]


def test_cancel_ends_a_test_within_seconds_and_the_next_one_runs(team: Team) -> None:
    team.apply(by_hand(team, "long", "hand:200"))
    await_running(team, "long")
    team.apply(by_hand(team, "next", "hand"), by_hand(team, "never", "hand"))
    await_word(team, "never", "queued")

    begun = time.monotonic()
    _cancel(team, "never")
    _cancel(team, "long")
    canceled = await_word(team, "long", "canceled", timeout=CANCELED_WITHIN)
    await_word(team, "never", "canceled", timeout=CANCELED_WITHIN)
    seconds = time.monotonic() - begun

    assert seconds < CANCELED_WITHIN
    assert said(canceled) == ("False", "Canceled", "canceled")
    assert said(canceled, "Ready")[0] == "True"
    assert canceled["testingStatus"]["errorCheck"]["status"] == "aborted"
    await_word(team, "next", "succeeded")
    report = canceled.get("report", {}).get("configMap")
    await_nothing_left(team, "long", *([f"configmap/{report}"] if report else []))
    print(f"canceled after {seconds:.1f} s")


def _cancel(team: Team, name: str) -> None:
    patch = json.dumps({"spec": {"cancel": True}})
    team.kubectl.run(
        "patch", "modeltest", name, f"--namespace={team.namespace}", "--type=merge", f"--patch={patch}"
    )


def test_a_model_that_wants_more_memory_than_its_test_allows_says_so(team: Team) -> None:
    failed = await_word(team, "tight", "failed")
    message = said(failed)[2]
    assert (
        'container "model" was killed for using more than its memory limit of 128Mi (1 restart).' in message
    )
    assert "The limit is the one of this test (spec.maximumMemory); the version's own is 384Mi." in message
    assert said(await_word(team, "roomy", "succeeded"))[:2] == ("True", "Passed")
