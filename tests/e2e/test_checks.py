"""What tests made by hand say on a real cluster: each of the nine words, and the cause where it is not a good one.

The models are the fixtures whose words the unit tests assert one by one. All of them start at once, in one
namespace; each test waits for its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modelyard.api.labels import WORKLOAD
from modelyard.manifests.pod_template import GRACE_SECONDS
from tests.cluster.kubectl import Kubectl, KubectlFailed, Manifest
from tests.cluster.waiting import until
from tests.e2e.load import read_log
from tests.e2e.team import Team, dumped, names, new_team
from tests.support.cluster_objects import version_name
from tests.support.models.process import FOLDER
from tests.support.objects import as_applied, make_dataset, make_test

START = '#!/bin/sh\nexport HOST=0.0.0.0\nexec python3 -u "$CODE_DIR/{}.py"\n'

DATA: dict[str, list[float]] = {
    "area": [55, 28, 90, 41, 73, 12, 66],
    "rooms": [2.5, 1.0, 4.0, 1.5, 3.0, 0.5, 2.0],
}

FIXTURES = {
    "copes": "imputes",
    "nulls": "raises_on_null",
    "wrong": "nan",
    "hangs": "slow",
    "leaves": "in_the_background",
    "inward": "localhost_only",
    "stubborn": "ignores_sigterm",
    "roomy": "good_regression",
}
"""The models of this module, and which fixture each of them runs."""

OWN_WORDS = {
    "hung": "no answer to the first",
    "greedy": 'container "model" was killed for using more than its memory limit of 128Mi',
    "heavy": "the test's own pod was killed for using more than",
}
"""Three tests that end without an answer, and the words that only one of them has."""

BEGINS = "longRunningService begins"
"""A line in the log of a runner that has started."""

CANCELED_SECONDS = 15
GONE_SECONDS = 15
"""On a busy machine, beyond what the cluster itself takes."""

EATS_ON_DATA = """
def predict(columns):
    return [float(len(bytearray(1 << 30)))]
"""

EATER = """
import os, time
for _ in range(40):
    if os.fork() == 0:
        eaten = bytearray(os.urandom(1 << 20) * 18)
        time.sleep(600)
time.sleep(600)
"""
"""Takes 720 MiB in pieces smaller than the runner itself, so that the kernel ends the runner and not a piece."""


def files(fixture: str) -> list[Manifest]:
    """A fixture model as the code of a version."""
    program = {name: (FOLDER / name).read_text() for name in ("model_server.py", f"{fixture}.py")}
    named = {"start_server.sh": START.format(fixture), **program}
    return [{"path": path, "content": text} for path, text in named.items()]


WITHOUT_DATA = {"dataset": None, "configuration": {"longRunningService": "fail", "errorCheck": "skip"}}


def by_hand(team: Team, name: str, model: str, **spec: Any) -> Manifest:
    """A test of the version of `model`, as a person writes it; None takes a field away."""
    fields = {
        "versionRef": {"name": version_name(model, "1.0")},
        "dataset": make_dataset(json.dumps(DATA)),
        "timeoutSeconds": 120,
        **spec,
    }
    return as_applied(make_test(name, namespace=team.namespace, **fields))


def ended(team: Team, test: str, word: str, timeout: int = 150) -> Manifest:
    """The status of a test that has ended, with this word."""
    team.await_all("condition=Ready", f"modeltest/{test}", timeout=timeout)
    status: Manifest = team.object("modeltest", test)["status"]
    assert status["overallStatus"] == word, json.dumps(status, indent=1)
    return status


def await_word(team: Team, test: str, word: str) -> Manifest:
    """The status of a test as soon as its word is this."""

    def found() -> Manifest | None:
        status: Manifest = team.object("modeltest", test).get("status", {})
        return status if status.get("overallStatus") == word else None

    return until(f"test {test} is {word}", found, timeout=90, every=0.3) or {}


def words(status: Manifest) -> dict[str, str]:
    """The word of each check."""
    return {name: check["status"] for name, check in status["testingStatus"].items()}


def why(status: Manifest) -> str:
    """What a test says of its end."""
    return next(str(one["message"]) for one in status["conditions"] if one["type"] == "Succeeded")


def cancel(team: Team, test: str) -> None:
    """As a person does it."""
    patch = json.dumps({"spec": {"cancel": True}})
    team.kubectl.run(
        "patch", "modeltest", test, f"--namespace={team.namespace}", "--type=merge", f"--patch={patch}"
    )


@pytest.fixture(scope="module")
def team(operator: str, python_image: str, kubectl: Kubectl) -> Iterator[Team]:
    """A namespace with a version of every model, and with the tests that need nobody's help."""
    quick = {"startup": {"timeoutSeconds": 15}}
    with new_team(kubectl, python_image, "checks") as team:
        team.apply(*(team.model(name, gate=None) for name in (*FIXTURES, "greedy")))
        team.apply(
            *(
                team.version(name, "1.0", source={"inline": files(fixture)}, **quick)
                for name, fixture in FIXTURES.items()
            ),
            team.version("greedy", "1.0", predict=EATS_ON_DATA),
            by_hand(team, "copes", "copes"),
            by_hand(team, "dataless", "copes", **WITHOUT_DATA),
            by_hand(team, "nulls", "nulls"),
            by_hand(team, "wrong", "wrong"),
            by_hand(team, "greedy", "greedy"),
            by_hand(team, "stubborn", "stubborn"),
            by_hand(team, "hung", "hangs", timeoutSeconds=30),
            by_hand(team, "homeless", "roomy", replicas=8, requiresHa=True, timeoutSeconds=10),
        )
        yield team


def test_a_test_that_nobody_has_looked_at_is_not_tested(team: Team) -> None:
    """What the API server itself answers to who makes it, before the operator can have seen it."""
    made = by_hand(team, "unseen", "copes")
    said = team.kubectl.run("create", "--dry-run=server", "--output=json", "-f", "-", stdin=dumped(made))

    assert json.loads(said)["status"]["overallStatus"] == "not_tested"


def test_a_good_model_is_succeeded_in_all_checks(team: Team) -> None:
    status = ended(team, "copes", "succeeded")

    assert set(words(status).values()) == {"succeeded"}
    assert status["counts"]["rows"] == len(DATA["area"])


def test_a_model_that_cannot_cope_with_nulls_is_a_warning(team: Team) -> None:
    status = ended(team, "nulls", "warning")

    assert words(status) == {
        "longRunningService": "succeeded",
        "errorCheck": "succeeded",
        "nullValueImputation": "warning",
        "sideEffects": "succeeded",
    }
    team.await_row("modeltest", "nulls", "warning", "nullValueImputation: ")


def test_a_wrong_prediction_is_failed_and_what_builds_on_it_aborted(team: Team) -> None:
    status = ended(team, "wrong", "failed")

    assert words(status) == {
        "longRunningService": "succeeded",
        "errorCheck": "failed",
        "nullValueImputation": "aborted",
        "sideEffects": "aborted",
    }
    team.await_row("modeltest", "wrong", "failed", "errorCheck: Row 3: prediction is NaN")


def test_a_test_that_finds_no_room_to_run_is_aborted_and_says_nothing_of_the_model(team: Team) -> None:
    status = ended(team, "homeless", "aborted")

    assert set(words(status).values()) == {"aborted"}
    assert "the test could not start within its 10 s (spec.timeoutSeconds)" in why(status)
    assert "can't be scheduled" in why(status)


def test_checks_without_data_are_skipped(team: Team) -> None:
    assert words(ended(team, "dataless", "succeeded")) == {
        "longRunningService": "succeeded",
        "errorCheck": "skipped",
        "nullValueImputation": "skipped",
        "sideEffects": "skipped",
    }


def test_one_test_is_in_progress_and_the_next_queued_until_it_is_canceled(team: Team) -> None:
    ended(team, "hung", "failed")
    team.apply(by_hand(team, "first-in-line", "hangs"))
    await_word(team, "first-in-line", "in_progress")
    team.apply(by_hand(team, "second-in-line", "hangs"))
    assert await_word(team, "second-in-line", "queued")["queuePosition"] == 1

    asked = time.monotonic()
    cancel(team, "first-in-line")
    status = ended(team, "first-in-line", "canceled", timeout=30)
    assert time.monotonic() - asked < CANCELED_SECONDS
    assert set(words(status).values()) == {"aborted"}

    await_word(team, "second-in-line", "in_progress")
    cancel(team, "second-in-line")
    ended(team, "second-in-line", "canceled", timeout=30)


def test_silence_and_too_little_memory_of_the_model_and_of_the_test_have_words_of_their_own(
    team: Team,
) -> None:
    ended(team, "second-in-line", "canceled")
    team.apply(by_hand(team, "heavy", "hangs"))
    kill_for_memory(team, runner(team, "heavy"))

    messages = {test: why(ended(team, test, "failed")) for test in OWN_WORDS}

    for test, own in OWN_WORDS.items():
        assert {other for other, message in messages.items() if own in message} == {test}, messages


def runner(team: Team, test: str) -> str:
    """The pod that runs a test, as soon as it waits for an answer of the model."""

    def found() -> str:
        job = team.object("modeltest", test).get("status", {}).get("job")
        pods = team.kubectl.list("pods", team.namespace, f"job-name={job}") if job else []
        return next((name for name in names(pods) if BEGINS in "".join(read_log(team, name))), "")

    return until(f"the runner of {test} has begun", found, timeout=90, every=0.5)


def kill_for_memory(team: Team, pod: str) -> None:
    """Have the kernel end a pod's first process, in the way in which it ends one that has taken too much itself."""
    team.run_in(pod, "sh", "-c", "echo 1000 > /proc/1/oom_score_adj")
    with suppress(KubectlFailed):  # the pod ends under it
        team.run_in(pod, "python3", "-c", EATER)


def test_a_server_in_the_background_ends_its_container(team: Team) -> None:
    team.await_refused("leaves", "1.0")

    row = team.version_row("leaves", "1.0", "False TestsFailed")
    assert 'container "model" ended with exit code 0' in row
    assert "Next: a server must stay in the foreground; mend it in a new version." in row


def test_a_server_on_localhost_is_answered_by_nobody(team: Team) -> None:
    team.await_refused("inward", "1.0")

    row = team.version_row("inward", "1.0", "False TestsFailed")
    assert "runs but does not answer GET $URL_PREFIX/ with 200" in row
    assert "Next: it must listen on 0.0.0.0:$PORT under $URL_PREFIX; compare its log." in row


def test_a_model_that_ignores_sigterm_is_gone_after_its_grace(team: Team) -> None:
    """The pods of its test are deleted when the test ends, and by then have long done what they were for."""
    status = ended(team, "stubborn", "succeeded")
    over = datetime.fromisoformat(status["completedAt"]) + timedelta(seconds=GRACE_SECONDS + GONE_SECONDS)

    def gone() -> bool:
        return not team.kubectl.list("pods", team.namespace, f"{WORKLOAD}={status['workload']}")

    until(
        "the pods of the test are gone", gone, timeout=(over - datetime.now(UTC)).total_seconds(), every=0.5
    )
