"""The operator's rights against what it did in the whole run: nothing was denied, and nothing was given for nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.install import RELEASE
from tests.cluster.fixtures import needs
from tests.cluster.kubectl import Kubectl, Manifest
from tests.cluster.provider import Capability, Provider
from tests.e2e.audit import Right, exercised, forbidden, requests
from tests.shape.chart import permissions
from tests.support.cluster_objects import environment

pytestmark = pytest.mark.last

HERE = Path(__file__).parent

OURS = "modelyard.dev"

NOT_EXERCISED: dict[Right, str] = {
    (OURS, "executionenvironments", "get"): (
        "read again when its status was written while somebody else changed the object"
    ),
    (OURS, "executionenvironmentversions", "get"): "read to see whose it is when its name is taken, by hash",
    ("batch", "jobs", "get"): "read to see whose it is when its name is taken, which holds the test's uid",
}
"""Rights that a run need not use, each with the reason why the operator has it all the same."""


@pytest.fixture(scope="module")
def log(cluster: Provider, operator: str) -> Path:
    """The audit log of the whole run, with the operator's part in it."""
    needs(cluster, Capability.AUDIT_LOG)
    assert cluster.audit_log is not None
    assert list(requests(cluster.audit_log))
    return cluster.audit_log


@pytest.fixture(scope="module")
def given(operator: str, kubectl: Kubectl) -> set[Right]:
    """What the installed ClusterRole allows."""
    return set(permissions(kubectl.get("clusterrole", RELEASE)))


def pull_secret(namespace: str, registry: str) -> Manifest:
    """Credentials for a registry that asks for none."""
    config = json.dumps({"auths": {registry: {"username": "reader", "password": "unused"}}})
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "pull", "namespace": namespace},
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": config},
    }


def test_of_secrets_the_operator_reads_those_that_an_environment_names_and_no_others(
    cluster: Provider, kubectl: Kubectl, python_image: str, namespace: str, log: Path
) -> None:
    secret = pull_secret(namespace, cluster.image_registry)
    other = {**secret, "metadata": {"name": "other", "namespace": namespace}}
    tagged = python_image.partition("@")[0]
    kubectl.apply(secret, other, environment(namespace, tagged, imagePullSecrets=[{"name": "pull"}]))
    kubectl.wait("condition=Pinned", "executionenvironment/python", namespace=namespace)

    asked = [event for event in requests(log) if event.get("objectRef", {}).get("resource") == "secrets"]
    assert {event["verb"] for event in asked} == {"get"}
    assert {
        event["objectRef"]["name"] for event in asked if event["objectRef"]["namespace"] == namespace
    } == {"pull"}


def test_the_operator_never_asked_for_what_it_may_not(log: Path) -> None:
    assert forbidden(log) == []


def test_the_operator_uses_every_right_that_it_has(
    log: Path, given: set[Right], request: pytest.FixtureRequest
) -> None:
    ran = {item.path for item in request.session.items}
    if left_out := {path.name for path in HERE.glob("test_*.py") if path not in ran}:
        pytest.skip(f"this looks at what a whole run of tests/e2e did, without {', '.join(sorted(left_out))}")

    unused = given - exercised(log)

    assert unused - set(NOT_EXERCISED) == set()


def test_no_exception_is_made_for_a_right_that_is_not_given(given: set[Right]) -> None:
    assert set(NOT_EXERCISED) - given == set()
