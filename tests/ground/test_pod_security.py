"""Pod Security by namespace label: `restricted` refuses what reaches for the node, and takes all of ours as it is."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.fixtures import new_namespace
from tests.cluster.kubectl import Kubectl, KubectlFailed, Manifest
from tests.ground.world import World
from tests.shape.chart import of_kind, render

GOLDEN = Path(__file__).parents[1] / "golden" / "manifests"
"""Every child that the operator makes, as it renders it."""

ENFORCE = "pod-security.kubernetes.io/enforce"
WITH_A_POD = ("Deployment", "Job", "Pod")


def rendered() -> dict[str, Manifest]:
    """What of ours makes pods: the operator's children, and what the chart installs."""
    children = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in sorted(GOLDEN.glob("*.yaml"))}
    chart = {
        f"chart: {manifest['kind']} {manifest['metadata']['name']}": manifest
        for kind in WITH_A_POD
        for manifest in of_kind(render(), kind)
    }
    return {name: each for name, each in (children | chart).items() if each["kind"] in WITH_A_POD}


def pod_of(manifest: Manifest, namespace: str) -> Manifest:
    """The pod that a controller would make of a manifest, in the name of an account that every namespace has."""
    spec = copy.deepcopy(manifest["spec"])
    spec = spec if manifest["kind"] == "Pod" else spec["template"]["spec"]
    spec.pop("serviceAccountName", None)
    metadata = {"name": "ours", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


OURS = rendered()

# Changes to a pod that `restricted` takes, each enough to be refused, and the words of the refusal.
LOOSE: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "privileged": ({}, {"privileged": True, "allowPrivilegeEscalation": True}, "privileged"),
    "as root": ({"runAsUser": 0, "runAsNonRoot": False}, {}, "runAsNonRoot != true"),
    "with more capabilities": ({}, {"capabilities": {"add": ["NET_ADMIN"]}}, "unrestricted capabilities"),
    "without seccomp": ({"seccompProfile": {"type": "Unconfined"}}, {}, "seccompProfile"),
    "that may become another user": ({}, {"allowPrivilegeEscalation": True}, "allowPrivilegeEscalation"),
}


@pytest.fixture(scope="module")
def restricted(kubectl: Kubectl) -> Iterator[str]:
    """A namespace that takes restricted pods only."""
    with new_namespace(kubectl, "ground-restricted") as namespace:
        kubectl.run("label", "namespace", namespace, f"{ENFORCE}=restricted")
        yield namespace


def try_out(kubectl: Kubectl, pod: Manifest) -> None:
    """All that the API server does with a new pod but keep it. Raises KubectlFailed when it refuses."""
    kubectl.run("create", "--dry-run=server", "-f", "-", stdin=json.dumps(pod))


@pytest.mark.parametrize("name", OURS)
def test_what_we_render_is_taken_as_it_is(kubectl: Kubectl, restricted: str, name: str) -> None:
    try_out(kubectl, pod_of(OURS[name], restricted))


def test_there_is_something_of_every_sort_of_ours() -> None:
    assert {manifest["kind"] for manifest in OURS.values()} >= {"Deployment", "Job"}
    assert any(name.startswith("chart: Deployment") for name in OURS)


@pytest.mark.parametrize("change", LOOSE)
def test_the_same_pod_with_one_freedom_more_is_refused(
    kubectl: Kubectl, restricted: str, change: str
) -> None:
    of_pod, of_container, words = LOOSE[change]
    pod = pod_of(OURS["deployment"], restricted)
    pod["spec"]["securityContext"] = {**pod["spec"]["securityContext"], **of_pod}
    container = pod["spec"]["containers"][0]
    container["securityContext"] = {**container["securityContext"], **of_container}

    with pytest.raises(KubectlFailed, match=r'violates PodSecurity "restricted:latest"') as refused:
        try_out(kubectl, pod)

    assert words in refused.value.said


def test_a_volume_of_the_node_is_refused(kubectl: Kubectl, restricted: str) -> None:
    pod = pod_of(OURS["deployment"], restricted)
    pod["spec"]["volumes"] = [*pod["spec"].get("volumes", []), {"name": "root", "hostPath": {"path": "/"}}]

    with pytest.raises(KubectlFailed, match=r'violates PodSecurity "restricted:latest": .*hostPath'):
        try_out(kubectl, pod)


def test_a_namespace_without_the_label_takes_a_privileged_pod(
    kubectl: Kubectl, python_image: str, namespace: str, restricted: str, nodes: tuple[str, str]
) -> None:
    """The control: it is the label that refuses."""
    free = World(kubectl, namespace, python_image).client("free", nodes[0])
    free["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    try_out(kubectl, free)

    free["metadata"]["namespace"] = restricted
    with pytest.raises(KubectlFailed, match=r'violates PodSecurity "restricted:latest"'):
        try_out(kubectl, free)


def test_a_label_that_comes_later_lets_what_runs_run_on(
    kubectl: Kubectl, python_image: str, namespace: str, nodes: tuple[str, str]
) -> None:
    world = World(kubectl, namespace, python_image)
    world.start(world.client("free", nodes[0]))

    kubectl.run("label", "namespace", namespace, f"{ENFORCE}=restricted")

    with pytest.raises(KubectlFailed, match=r'violates PodSecurity "restricted:latest"'):
        kubectl.apply(world.client("refused", nodes[0]))
    kubectl.wait("condition=Ready", "pod/free", namespace=namespace, timeout=1)
