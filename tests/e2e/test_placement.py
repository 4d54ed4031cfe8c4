"""Where pods run and what they may: nodes, memory, and the walls of Pod Security `restricted`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.kubectl import Kubectl, KubectlFailed
from tests.cluster.provider import Provider
from tests.e2e.team import Team, is_ready, new_team
from tests.support.cluster_objects import version_name
from tests.support.objects import as_applied, make_dataset, make_test

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}

HUNGRY = """
eaten = []

def predict(columns):
    return [0.0 for _ in columns["id"]]

while True:
    eaten.append(bytearray(16 << 20))
"""

CGROUP = """
from pathlib import Path
files = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
print(next(file.read_text() for file in files if file.exists()))
"""


@pytest.fixture(scope="module")
def team(operator: str, cluster: Provider, python_image: str, kubectl: Kubectl) -> Iterator[Team]:
    """A namespace that admits only restricted pods, where all of this module's models start at once."""
    too_many = len(cluster.nodes()) + 1
    with new_team(kubectl, python_image, "placement", **RESTRICTED) as team:
        versions = [
            team.version("pair", "1.0", replicas=2, requiresHa=True, maximumMemory="160Mi"),
            team.version("spread", "1.0", replicas=too_many, requiresHa=True),
            team.version("crowd", "1.0", replicas=too_many),
            team.version("hungry", "1.0", predict=HUNGRY),
        ]
        models = [team.model(name, gate=None) for name in ("pair", "spread", "crowd", "hungry")]
        team.apply(*models, *versions)
        yield team


def nodes(team: Team, model: str) -> list[str]:
    """The nodes of the ready pods of version 1.0."""
    return [pod["spec"]["nodeName"] for pod in team.pods(model, "1.0") if is_ready(pod)]


def test_two_replicas_that_require_ha_run_on_two_nodes(team: Team) -> None:
    team.await_serving("pair", "1.0")

    assert len(set(nodes(team, "pair"))) == len(nodes(team, "pair")) == 2


def test_more_replicas_than_nodes_share_them_unless_they_require_ha(team: Team, cluster: Provider) -> None:
    team.await_serving("crowd", "1.0")

    assert len(nodes(team, "crowd")) == len(cluster.nodes()) + 1


def test_more_replicas_than_nodes_say_insufficient_nodes_and_are_never_promoted(
    team: Team, cluster: Provider
) -> None:
    count = len(cluster.nodes())

    row = team.version_row("spread", "1.0", "False InsufficientNodes")

    assert f"{count} of {count + 1} replicas ready; pod spread-1-0-" in row
    assert f"can't be scheduled: 0/{count} nodes are available" in row
    assert "Next: add nodes, or ask for fewer replicas or no requiresHa in a new version." in row
    assert "serving" not in team.object("custommodel", "spread")["status"]


def test_the_maximum_memory_stands_in_the_cgroup(team: Team) -> None:
    limits = {}
    for model in ("pair", "crowd"):
        team.await_serving(model, "1.0")
        (pod, *_) = team.ready_pods(model, "1.0")
        limits[model] = int(team.run_in(pod["metadata"]["name"], "python3", "-c", CGROUP))

    assert limits == {"pair": 160 << 20, "crowd": 128 << 20}


def test_a_model_that_takes_more_memory_says_so_with_its_limit(team: Team) -> None:
    row = team.version_row("hungry", "1.0", "OutOfMemory", "memory limit")

    assert 'container "model" was killed for using more than its memory limit of 128Mi' in row
    assert "Next: raise maximumMemory in a new version." in row


def test_a_restricted_namespace_admits_models_and_tests_and_nothing_looser(team: Team) -> None:
    with pytest.raises(KubectlFailed, match='violates PodSecurity "restricted'):
        team.kubectl.run(
            "run", "loose", f"--image={team.image}", f"--namespace={team.namespace}", "--command", "true"
        )

    team.await_serving("pair", "1.0")
    (job,) = (job for job in team.kubectl.list("jobs", team.namespace) if "pair" in job["metadata"]["name"])
    assert job["status"]["succeeded"] == 1


def test_a_restricted_namespace_admits_the_copy_for_a_test_by_hand(team: Team) -> None:
    team.await_serving("pair", "1.0")
    tested = {"name": version_name("pair", "1.0")}
    rows = make_dataset('{"id": [1, 2, 3]}')
    team.apply(as_applied(make_test("by-hand", namespace=team.namespace, versionRef=tested, dataset=rows)))
    team.await_all("condition=Succeeded", "modeltest/by-hand", timeout=180)

    tests = team.kubectl.list("modeltests", team.namespace)
    tests = [test["status"] for test in tests if test["spec"]["versionRef"] == tested]
    assert {status["overallStatus"] for status in tests} <= {"succeeded", "warning"}
    assert len({status["workload"] for status in tests}) == len(tests) == 2


def test_a_model_has_no_token_no_writable_root_and_no_rights(team: Team) -> None:
    team.await_serving("pair", "1.0")
    pod = team.ready_pods("pair", "1.0")[0]["metadata"]["name"]

    assert team.run_in(pod, "id", "-u").strip() == "65532"
    team.run_in(pod, "touch", "/tmp/allowed")
    for path in ("/allowed", "/opt/modelyard/code/allowed"):
        with pytest.raises(KubectlFailed, match="Read-only file system"):
            team.run_in(pod, "touch", path)
    with pytest.raises(KubectlFailed, match="No such file"):
        team.run_in(pod, "ls", "/var/run/secrets/kubernetes.io")
    status = team.run_in(pod, "cat", "/proc/self/status")
    assert "CapBnd:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
