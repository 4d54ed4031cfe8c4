"""The documents that rendering is tried on, and what a world knows that documents do not say."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from functools import cache
from typing import Any

from modelyard.api import labels
from modelyard.api.kinds import POD, SERVICE, Kind
from modelyard.rendering.documents import Text, read
from modelyard.rendering.paper import Address, place
from tests.cluster import tools
from tests.cluster.provider import CHECKOUT
from tests.support.objects import (
    NAMESPACE,
    as_applied,
    make_dataset,
    make_environment,
    make_gate,
    make_model,
    make_test,
    make_version,
)
from tests.support.world import DIGEST, World

Manifest = dict[str, Any]

EXAMPLES = sorted(folder.name for folder in (CHECKOUT / "examples").glob("0*"))


@cache
def example(name: str) -> str:
    """All YAML of an example as `kubectl apply` would get it."""
    folder = CHECKOUT / "examples" / name
    if (folder / "kustomization.yaml").exists():
        command = [str(tools.kubectl()), "kustomize", str(folder)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return "\n---\n".join(file.read_text("utf-8") for file in sorted(folder.glob("*.yaml")))


def objects_of(name: str) -> list[Manifest]:
    """The objects of an example, or of the case that has everything."""
    if name == "everything":
        return everything()
    found = read([Text(name, example(name))], NAMESPACE)
    assert not found.problems
    return found.objects


def everything() -> list[Manifest]:
    """Several replicas, a gate of two tests with data, a test by hand with resources of its own."""
    rows = make_dataset('{"area": [1, 2]}')
    gate = {"tests": [*make_gate("rows", dataset=rows)["tests"], *make_gate("again", dataset=rows)["tests"]]}
    return [
        as_applied(one)
        for one in (
            make_environment(imagePullSecrets=[{"name": "pull"}], startCommand=["/serve", "--fast"]),
            make_model(gate=gate, callers=[{"podSelector": {"matchLabels": {"app": "front"}}}]),
            make_version(replicas=3, requiresHa=True, networkEgressPolicy="PUBLIC"),
            make_test("by-hand", versionRef={"name": "hello-1"}, maximumMemory="256Mi", replicas=2),
        )
    ]


CASES = (*EXAMPLES, "everything")


class OfWorld:
    """`Unknowns` as a world had them, whether the objects are there still or not."""

    def __init__(self, world: World) -> None:
        self._known: dict[Address, Manifest] = {}
        for write in world.api.writes:
            if write.after is not None:
                self._known[place(write.after)] = write.after

    def uid(self, kind: Kind, namespace: str, name: str) -> str:
        """That of the world; none of what a world has not, as endpoints under another name."""
        found = self._known.get((kind, namespace, name))
        return str(found["metadata"]["uid"]) if found else "-"

    def digest(self, image: str) -> str:
        """The only one that there is."""
        return DIGEST

    def address(self, namespace: str, service: str) -> str:
        """The cluster IP."""
        return str(self._known[SERVICE, namespace, service]["spec"]["clusterIP"])

    def pods(self, deployment: Mapping[str, Any]) -> list[Manifest]:
        """The pods that the Deployment had."""
        name = deployment["metadata"]["name"]
        pods = [manifest for (kind, _, _), manifest in sorted_by_name(self._known) if kind == POD]
        return [pod for pod in pods if pod["metadata"]["labels"].get(labels.WORKLOAD) == name]


def sorted_by_name(known: Mapping[Address, Manifest]) -> list[tuple[Address, Manifest]]:
    """In the order in which lists are."""
    return sorted(known.items(), key=lambda item: item[0][1:])
