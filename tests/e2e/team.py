"""One user's namespace: what is applied there, and what kubectl shows of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.cluster.fixtures import new_namespace
from tests.cluster.kubectl import Kubectl, KubectlFailed, Manifest
from tests.cluster.waiting import NeverHappened, until
from tests.support import cluster_objects
from tests.support.cluster_objects import version_name

PROMOTED_SECONDS = 100
"""Longest time from an apply to a version that serves, on a busy machine."""

SERVES = "modelyard.dev/serves"

MADE_BY_US = (
    "modelyard,deployments,replicasets,pods,services,endpointslices,networkpolicies,poddisruptionbudgets,jobs,"
    "controllerrevisions,configmaps"
)
"""Every kind that the operator makes, or that follows from what it makes."""


@dataclass(frozen=True, slots=True)
class Team:
    """A namespace, and the image that its models run in."""

    kubectl: Kubectl
    namespace: str
    image: str

    def environment(self, **spec: Any) -> Manifest:
        """The environment of this team's versions."""
        return cluster_objects.environment(self.namespace, **{"image": self.image, **spec})

    def model(self, name: str, **spec: Any) -> Manifest:
        """See cluster_objects.model."""
        return cluster_objects.model(self.namespace, name, **spec)

    def version(self, model: str, label: str, **spec: Any) -> Manifest:
        """See cluster_objects.version."""
        return cluster_objects.version(self.namespace, model, label, **spec)

    def apply(self, *manifests: Manifest) -> None:
        """Apply all of them at once."""
        self.kubectl.apply(*manifests)

    def await_serving(self, model: str, label: str, timeout: int = PROMOTED_SECONDS) -> None:
        """Until the model says that this version of it serves, and it is Available."""
        wanted = f"jsonpath={{.status.serving.label}}={label}"
        self.await_all(wanted, f"custommodel/{model}", timeout=timeout)
        self.await_all("condition=Available", f"custommodel/{model}", timeout=timeout)

    def await_refused(self, model: str, label: str, timeout: int = PROMOTED_SECONDS) -> None:
        """Until this version is refused by its gate."""
        name = f"custommodelversion/{version_name(model, label)}"
        self.await_all("condition=Stalled", name, timeout=timeout)

    def await_all(self, condition: str, *names: str, timeout: int = PROMOTED_SECONDS) -> None:
        """Until each of `names` meets `condition`; NeverHappened tells what there is instead."""
        try:
            self.kubectl.wait(condition, *names, namespace=self.namespace, timeout=timeout)
        except KubectlFailed as failure:
            raise NeverHappened(f"{failure}\n{self.picture()}") from None

    def row(self, kind: str, name: str) -> str:
        """What `kubectl get` prints of one object, below its headings, runs of blanks as one."""
        return " ".join(self.get(kind, name, "--no-headers").split())

    def get(self, *arguments: str) -> str:
        """What `kubectl get` prints."""
        return self.kubectl.run("get", *arguments, f"--namespace={self.namespace}")

    def await_row(self, kind: str, name: str, *parts: str, timeout: float = 90) -> str:
        """The row of an object as soon as it holds all of these texts."""

        def row() -> str:
            found = self.row(kind, name)
            return found if all(part in found for part in parts) else ""

        try:
            return until(f"{kind} {name} says {parts}", row, timeout=timeout, every=0.5)
        except NeverHappened as never:
            raise NeverHappened(f"{never}\nit says: {self.row(kind, name)}\n{self.picture()}") from None

    def version_row(self, model: str, label: str, *parts: str, timeout: float = 90) -> str:
        """`await_row` of a version."""
        return self.await_row("custommodelversion", version_name(model, label), *parts, timeout=timeout)

    def object(self, kind: str, name: str) -> Manifest:
        """One object."""
        return self.kubectl.get(kind, name, self.namespace)

    def key(self, model: str, label: str) -> str:
        """The version's key, once the operator has seen it."""
        name = version_name(model, label)

        def key() -> str:
            return str(self.object("custommodelversion", name)["status"].get("key", ""))

        return until(f"{name} has a key", key, every=0.5)

    def pods(self, model: str, label: str) -> list[Manifest]:
        """The version's pods."""
        return self.kubectl.list("pods", self.namespace, f"{SERVES}={self.key(model, label)}")

    def ready_pods(self, model: str, label: str, count: int = 1) -> list[Manifest]:
        """The version's pods, once `count` of them are ready."""

        def ready() -> list[Manifest]:
            found = [pod for pod in self.pods(model, label) if is_ready(pod)]
            return found if len(found) >= count else []

        return until(f"{count} pods of {model} {label} are ready", ready, timeout=PROMOTED_SECONDS, every=0.5)

    def run_in(self, pod: str, *command: str, stdin: str | None = None) -> str:
        """What a command prints in a pod's first container. Raises KubectlFailed when it fails."""
        return self.kubectl.exec(pod, self.namespace, *command, stdin=stdin)

    def picture(self) -> str:
        """What there is, for the message of a failed test."""
        return self.get("modelyard,pods,events", "--output=wide")

    def remains(self) -> list[str]:
        """What is left of ours in the namespace."""
        names = self.get(MADE_BY_US, "--output=name").split()
        return sorted(set(names) - {"configmap/kube-root-ca.crt"})


def is_ready(pod: Manifest) -> bool:
    """Whether a pod takes traffic."""
    conditions = pod.get("status", {}).get("conditions", [])
    going = pod["metadata"].get("deletionTimestamp")
    return not going and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def names(manifests: list[Manifest]) -> list[str]:
    """Their names."""
    return [manifest["metadata"]["name"] for manifest in manifests]


def dumped(*manifests: Manifest) -> str:
    """As one list in JSON, for `kubectl -f -`."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})


@contextmanager
def new_team(kubectl: Kubectl, image: str, prefix: str, **labels: str) -> Iterator[Team]:
    """A namespace that no test had before, with these labels and an environment; it is deleted when this ends."""
    with new_namespace(kubectl, prefix) as namespace:
        if labels:
            kubectl.run(
                "label", "namespace", namespace, *(f"{name}={value}" for name, value in labels.items())
            )
        team = Team(kubectl, namespace, image)
        team.apply(team.environment())
        yield team
