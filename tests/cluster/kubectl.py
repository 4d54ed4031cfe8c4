"""kubectl for tests: one cluster, Python values in and out."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.tools import tool

Manifest = dict[str, Any]


class KubectlFailed(Exception):
    """kubectl ended with an error; `said` is what it printed."""

    def __init__(self, arguments: tuple[str, ...], said: str) -> None:
        super().__init__(f"kubectl {' '.join(arguments)}: {said.strip()}")
        self.said = said


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl with one kubeconfig."""

    kubeconfig: Path

    def run(self, *arguments: str, stdin: str | None = None, timeout: float = 120.0) -> str:
        """What kubectl prints. Raises KubectlFailed, or subprocess.TimeoutExpired after `timeout` seconds."""
        command = [str(tool("kubectl")), f"--kubeconfig={self.kubeconfig}", *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout)
        if done.returncode != 0:
            raise KubectlFailed(arguments, done.stderr or done.stdout)
        return done.stdout

    def apply(self, *manifests: Manifest) -> None:
        """Apply all of them at once."""
        self.run(
            "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        )

    def delete(self, *manifests: Manifest) -> None:
        """Delete all of them, and wait until they are gone; those that are gone already count."""
        sent = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        self.run("delete", "--ignore-not-found", "-f", "-", stdin=sent)

    def get(self, kind: str, name: str, namespace: str = "default") -> Manifest:
        """One object. Raises KubectlFailed when it is not there."""
        found: Manifest = json.loads(self.run("get", kind, name, f"--namespace={namespace}", "--output=json"))
        return found

    def list(self, kind: str, namespace: str, selector: str = "") -> list[Manifest]:
        """The objects of a kind in a namespace."""
        said = self.run("get", kind, f"--namespace={namespace}", f"--selector={selector}", "--output=json")
        items: list[Manifest] = json.loads(said)["items"]
        return items

    def wait(self, condition: str, *names: str, namespace: str, timeout: int = 60) -> None:
        """Until each of `names` (`pod/a`) meets `condition`, as kubectl's --for takes it."""
        self.run("wait", f"--for={condition}", *names, f"--namespace={namespace}", f"--timeout={timeout}s")

    def exec(self, pod: str, namespace: str, *command: str, stdin: str | None = None) -> str:
        """What `command` prints in the pod's first container."""
        return self.run("exec", "--stdin", pod, f"--namespace={namespace}", "--", *command, stdin=stdin)

    def evict(self, pod: str, namespace: str) -> None:
        """Evict through the API, as everything does that respects budgets. Raises KubectlFailed when it is refused."""
        metadata = {"name": pod, "namespace": namespace}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction"
        self.run("create", "--raw", path, "-f", "-", stdin=json.dumps(body))
