"""What users see when something is wrong: each trouble has its own words in `kubectl get`, with the next step.

All the troubles of this module start at once, in one namespace; each test waits for its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.kubectl import Kubectl, Manifest
from tests.cluster.provider import Provider
from tests.cluster.waiting import until
from tests.e2e.team import Team, names, new_team
from tests.support.cluster_objects import OWN_LABEL, files, gate

CRASHES = """
import sys
print("loading weights")
sys.exit("weights.bin: checksum does not match")
"""

NEVER_ANSWERS = """
import time

def predict(columns):
    time.sleep(3600)
"""

EATS_ON_DATA = """
def predict(columns):
    return [float(len(bytearray(1 << 30)))]
"""

TOLD_BY_FILES = """
from pathlib import Path

def is_ready():
    return Path("/tmp/ready").exists()

def predict(columns):
    if Path("/tmp/broken").exists():
        raise ValueError("this replica has lost its weights")
    return [1.0 for _ in columns["id"]]
"""
"""Gets ready, or breaks, when the test says so in the pod's /tmp: how one of three equal pods can be broken."""

MODELS = ("unpulled", "crashing", "scriptless", "homeless", "taken", "late", "greedy", "partly")
FOREIGN = {"app": "not-ours"}


def foreign_service(namespace: str) -> Manifest:
    """Somebody's Service that has the name of a model."""
    spec = {"selector": FOREIGN, "ports": [{"port": 80}]}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "taken", "namespace": namespace},
        "spec": spec,
    }


@pytest.fixture(scope="module")
def team(operator: str, cluster: Provider, python_image: str, kubectl: Kubectl) -> Iterator[Team]:
    """A namespace with everything that can be wrong."""
    with new_team(kubectl, python_image, "failures") as team:
        absent = f"{cluster.image_registry}/no/such/image:1"
        team.apply(foreign_service(team.namespace), team.environment(name="absent", image=absent))
        team.apply(*(team.model(name, gate=gate()) for name in MODELS if name not in ("late", "taken")))
        team.apply(team.model("late", gate=gate(timeoutSeconds=12)), team.model("taken"))
        quick = {"timeoutSeconds": 5}
        team.apply(
            team.version("unpulled", "1.0", environmentRef={"name": "absent"}),
            team.version("crashing", "1.0", predict=CRASHES, startup=quick),
            team.version("scriptless", "1.0", source={"inline": files(OWN_LABEL, start=None)}),
            team.version("homeless", "1.0", environmentRef={"name": "tomorrow"}),
            team.version("taken", "1.0"),
            team.version("late", "1.0", predict=NEVER_ANSWERS),
            team.version("greedy", "1.0", predict=EATS_ON_DATA),
            team.version("partly", "1.0", predict=TOLD_BY_FILES, replicas=3),
        )
        yield team


def running(team: Team, model: str, label: str, count: int) -> list[str]:
    """Names of the version's pods, once so many run."""

    def found() -> list[str]:
        pods = [pod for pod in team.pods(model, label) if pod["status"].get("phase") == "Running"]
        return names(pods) if len(pods) == count else []

    return until(f"{count} pods of {model} {label} run", found, timeout=90, every=0.5)


def get_ready(team: Team, pods: list[str], *, broken: tuple[str, ...] = ()) -> None:
    """Tell these pods to answer, and the broken ones of them to fail on data."""
    for pod in broken:
        team.run_in(pod, "touch", "/tmp/broken")
    for pod in pods:
        team.run_in(pod, "touch", "/tmp/ready")


def test_one_broken_replica_of_three_is_found_and_named(team: Team) -> None:
    pods = running(team, "partly", "1.0", 3)
    get_ready(team, pods)
    team.await_serving("partly", "1.0")

    team.apply(team.version("partly", "1.1", predict=TOLD_BY_FILES, replicas=3))
    pods = running(team, "partly", "1.1", 3)
    get_ready(team, pods, broken=(pods[1],))
    team.await_refused("partly", "1.1")

    row = team.version_row("partly", "1.1", "False TestsFailed")
    assert f'test "rows" failed: longRunningService: Replica {pods[1]} (' in row
    assert "sent the first 3 rows: " in row
    assert not any(pod in row for pod in (pods[0], pods[2]))
    team.await_row("custommodel", "partly", "False CandidateRejected 1.0 partly-1-0")


def test_an_image_that_cannot_be_pulled_is_named_and_waited_for(team: Team) -> None:
    row = team.version_row("unpulled", "1.0", "False ImagePullFailed")

    assert "/no/such/image:1\" can't be pulled: " in row
    assert "Next: check the name, the registry and imagePullSecrets of the ExecutionEnvironment." in row
    assert "absent" in team.await_row("executionenvironment", "absent", "False")


def test_a_crash_at_the_start_tells_the_exit_code_and_the_last_words(team: Team) -> None:
    team.await_refused("crashing", "1.0")

    row = team.version_row("crashing", "1.0", "False TestsFailed")
    assert 'test "startup" failed: pod crashing-1-0-' in row
    assert 'container "model" ended with exit code 1' in row
    assert "weights.bin: checksum does not match" in row
    assert "Next: a server must stay in the foreground; mend it in a new version." in row


def test_a_missing_start_script_is_said_before_anything_runs(team: Team) -> None:
    row = team.version_row("scriptless", "1.0", "False StartScriptMissing")

    assert "spec.source has no start_server.sh in its root" in row
    assert 'ExecutionEnvironment "python" has no startCommand; add one of the two in a new version' in row
    team.await_refused("scriptless", "1.0")
    assert not [pod for pod in names(team.kubectl.list("pods", team.namespace)) if "scriptless" in pod]


def test_a_missing_environment_is_named_and_going_on_needs_only_that_it_comes(team: Team) -> None:
    row = team.version_row("homeless", "1.0", "False EnvironmentNotFound")
    assert f'ExecutionEnvironment "tomorrow" does not exist in namespace "{team.namespace}"; create it' in row

    team.apply(team.environment(name="tomorrow"))

    team.await_serving("homeless", "1.0")


def test_a_name_that_somebody_else_has_is_left_alone_until_it_is_free(team: Team) -> None:
    row = team.await_row("custommodel", "taken", "False NameTaken")
    assert "Service 'taken'" in row
    assert "was not made by Modelyard: rename or delete it" in row
    assert team.object("service", "taken")["spec"]["selector"] == FOREIGN

    team.kubectl.delete(foreign_service(team.namespace))

    team.await_serving("taken", "1.0")


def test_a_test_that_runs_out_of_time_says_what_it_waited_for(team: Team) -> None:
    team.await_refused("late", "1.0")

    row = team.version_row("late", "1.0", "False TestsFailed")
    assert "no answer to the first 3 rows for " in row
    assert "replica late-1-0-" in row


def test_a_model_that_is_killed_for_memory_in_a_test_says_so(team: Team) -> None:
    team.await_refused("greedy", "1.0")

    row = team.version_row("greedy", "1.0", "False TestsFailed")
    assert "was killed for using more than its memory limit of 128Mi" in row


def test_words_of_one_trouble_do_not_stand_at_another(team: Team) -> None:
    """The control of all above; the troubles are still there."""
    owners = {
        "memory limit": "greedy",
        "start_server.sh": "scriptless",
        "can't be pulled": "unpulled",
        "checksum": "crashing",
        "no answer": "late",
    }
    rows = team.get("custommodelversions", "--no-headers").splitlines()

    for words, owner in owners.items():
        assert [row.split()[0] for row in rows if words in row] == [f"{owner}-1-0"]
