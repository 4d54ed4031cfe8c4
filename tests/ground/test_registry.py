"""Images pushed to the cluster's registry run on every node; what was never pushed does not."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from tests.cluster.kubectl import Kubectl, Manifest
from tests.cluster.local.archives import write_archive
from tests.cluster.provider import ClusterUnavailable, Provider
from tests.cluster.tools import tool
from tests.cluster.waiting import until


def pod(name: str, namespace: str, image: str, node: str) -> Manifest:
    """A pod that has nothing but its image's own program, pulled anew."""
    container = {"name": "main", "image": image, "imagePullPolicy": "Always"}
    spec = {"nodeName": node, "terminationGracePeriodSeconds": 0, "containers": [container]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A small image as `docker save` writes it."""
    write_archive("anything:1", tool("pause"), tmp_path / "image.tar")
    return tmp_path / "image.tar"


@pytest.mark.parametrize("registry", ["", "docker.io/"])
def test_an_image_that_was_pushed_runs_on_every_node(
    cluster: Provider, kubectl: Kubectl, namespace: str, archive: Path, registry: str
) -> None:
    name = f"{registry}ground/{secrets.token_hex(4)}"
    reference = cluster.push(archive, name, "1")
    assert reference.startswith(f"{name if registry else cluster.image_registry + '/' + name}:1@sha256:")
    nodes = cluster.nodes()
    kubectl.apply(*(pod(f"on-{node}", namespace, reference, node) for node in nodes))
    kubectl.wait("condition=Ready", *(f"pod/on-{node}" for node in nodes), namespace=namespace, timeout=30)


def test_the_same_image_pushed_again_has_the_same_digest(cluster: Provider, archive: Path) -> None:
    assert cluster.push(archive, "ground/twice", "1") == cluster.push(archive, "ground/twice", "1")


def test_an_image_that_was_never_pushed_is_not_found(
    cluster: Provider, kubectl: Kubectl, namespace: str, nodes: tuple[str, str]
) -> None:
    kubectl.apply(pod("lost", namespace, f"{cluster.image_registry}/ground/never-pushed:1", nodes[0]))

    def reason() -> str:
        statuses = kubectl.get("pod", "lost", namespace)["status"].get("containerStatuses", [])
        waiting = statuses[0]["state"].get("waiting", {}) if statuses else {}
        return (
            f"{waiting.get('reason')}: {waiting.get('message')}"
            if "Pull" in waiting.get("reason", "")
            else ""
        )

    assert "not found" in until("the pull fails", reason, timeout=15)


def test_a_file_that_is_no_image_is_refused_in_words(cluster: Provider, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no image")
    with pytest.raises(ClusterUnavailable, match=r"is no archive of an image"):
        cluster.push(tmp_path / "text", "ground/text", "1")
